//! `lamon-web user`: who may log in.

use std::io::Write;
use std::path::Path;

use clap::Subcommand;

use super::password::Hash;
use super::{Role, User, Users, change, check_name, keyboard};

const EXAMPLES: &str = "Try it:
  lamon-web user add ann --role operate         asks for the password twice
  pwgen 20 1 | lamon-web user add nagios        the first line of standard input is the password
  lamon-web user list";

/// What is done with the users.
#[derive(Debug, Clone, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Task {
    /// Let somebody log in; the password is asked for on the terminal, or is the first line of standard input
    Add {
        /// Letters, digits, and . _ - @
        name: String,
        /// What he may do
        #[arg(long, value_enum, default_value_t = Role::View)]
        role: Role,
    },
    /// Who may log in, and what each may do
    List,
    /// Let somebody log in no more; where he is logged in ends within seconds
    Remove {
        /// His name
        name: String,
    },
    /// Set another password, or another role with --role; where he is logged in ends within seconds
    Password {
        /// His name
        name: String,
        /// What he may do from now on; as before when not given
        #[arg(long, value_enum)]
        role: Option<Role>,
    },
}

/// Does it, and gives what there is to say.
///
/// # Errors
///
/// A sentence; nothing is changed then.
pub(crate) fn perform(task: Task, path: &Path) -> Result<String, String> {
    let unknown = |name: &str| format!("there is no user {name}: lamon-web user list shows them");
    match task {
        Task::Add { name, role } => {
            check_name(&name)?;
            if Users::load(path)?.0.0.contains_key(&name) {
                return Err(format!("there is a user {name}: lamon-web user password {name}"));
            }
            let hash = Hash::of(&keyboard::new_password(&name)?)?;
            change(path, |users| match users.0.insert(name.clone(), User { role, hash }) {
                None => Ok(()),
                Some(_) => Err(format!("there is a user {name}")),
            })?;
            Ok(format!("{name} may log in: {}", role.as_str()))
        }
        Task::Remove { name } => {
            change(path, |users| users.0.remove(&name).map(drop).ok_or_else(|| unknown(&name)))?;
            Ok(format!("{name} may log in no more"))
        }
        Task::Password { name, role } => {
            if !Users::load(path)?.0.0.contains_key(&name) {
                return Err(unknown(&name));
            }
            let hash = Hash::of(&keyboard::new_password(&name)?)?;
            change(path, |users| {
                let user = users.0.get_mut(&name).ok_or_else(|| unknown(&name))?;
                *user = User { role: role.unwrap_or(user.role), hash };
                Ok(())
            })?;
            Ok(format!("{name} has another password"))
        }
        Task::List => {
            let (users, _) = Users::load(path)?;
            if users.0.is_empty() {
                return Ok("nobody may log in: lamon-web user add NAME".into());
            }
            let width = users.0.keys().map(String::len).max().unwrap_or_default();
            let mut out = std::io::stdout().lock();
            for (name, user) in &users.0 {
                // A reader that went away is no fault.
                let _ = writeln!(out, "{name:width$}  {}", user.role.as_str());
            }
            Ok(String::new())
        }
    }
}
