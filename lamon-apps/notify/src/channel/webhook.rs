//! Any HTTP server: a POST whose body is a template of the operator's, or JSON of the whole message.

use std::path::PathBuf;

use minijinja::{Environment, UndefinedBehavior, context};
use serde_json::json;

use super::Failure;
use super::http::{self, Url};
use crate::notice::Message;

/// The most steps that a template takes: a loop over ten thousand nodes, and far below a second.
const MAX_STEPS: u64 = 1_000_000;

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: Url,
    /// The body, in Jinja's language.
    pub(crate) template: Option<String>,
    pub(crate) content_type: String,
    /// The site's own authority, in place of the public ones.
    pub(crate) ca_file: Option<PathBuf>,
}

impl Webhook {
    pub(super) fn deliver(&self, message: &Message) -> Result<(), Failure> {
        let body = match &self.template {
            Some(template) => {
                render(template, message).map_err(|(_, error)| format!("the template: {error}"))?
            }
            None => json!({
                "title": message.title, "text": message.text, "level": message.level, "nodes": message.nodes,
                "route": message.route, "time": message.time,
            })
            .to_string(),
        };
        http::post(&self.url.read()?, &self.content_type, &body, self.ca_file.as_deref()).map(drop)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.ca_file.as_deref().map_or(Ok(()), |path| http::authorities(path).map(drop))?;
        self.url.read().map(drop)
    }
}

/// Fills a template.
///
/// # Errors
///
/// The line in the template, from 1, and what is wrong there.
pub(crate) fn render(template: &str, message: &Message) -> Result<String, (usize, String)> {
    let mut environment = Environment::new();
    // A variable that is misspelt is a mistake, not an empty text.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MAX_STEPS));
    let variables = context! {
        title => message.title, text => message.text, level => message.level.as_str(), nodes => message.nodes,
        route => message.route, time => message.time, local_time => message.local_time(),
    };
    environment.render_str(template, variables).map_err(|error| {
        let what = error
            .detail()
            .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
        (error.line().unwrap_or(1), what)
    })
}
