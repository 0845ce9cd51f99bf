//! What each command asks, page by page where there are several.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use lamon_control::answer::{Nodes, Status};
use lamon_control::{Answer, Operation, When};
use lamon_operator::{AskError, Client};

use crate::args::{Args, Colours, Task};
use crate::table::Paint;
use crate::{events, exit, show};

/// Does what the command line says, writes what came of it, and says with which code to end.
pub(crate) fn perform(mut client: Client, args: &Args) -> Result<ExitCode, AskError> {
    let task = args.task.clone().unwrap_or(Task::Status { check: false });
    let check = matches!(task, Task::Status { check: true });
    let answer = match task {
        Task::Nodes { node: None } => Answer::Nodes(all_nodes(&mut client)?),
        Task::Events { node, level, since, count } => {
            let count = count.unwrap_or(if since.is_some() { events::MANY } else { events::FEW });
            Answer::Events(events::newest(&mut client, &events::Wanted { node, level, since, count })?)
        }
        task => client.ask(operation(task))?,
    };
    let code = match &answer {
        Answer::Status(status) if check => checked(status),
        _ => ExitCode::SUCCESS,
    };
    if args.json {
        put(&serde_json::to_string(&answer).map_err(|error| AskError::Language(error.to_string()))?);
    } else {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        put(show::answer(paint(args.color), now_ms, &answer).trim_end());
    }
    Ok(code)
}

fn operation(task: Task) -> Operation {
    match task {
        Task::Nodes { node: Some(node) } => Operation::Node { node },
        Task::Explain { node, metric } => Operation::Explain { node, metric },
        Task::Settings => Operation::Settings {},
        Task::Gates => Operation::Gates {},
        Task::Override { gate, length, reason } => {
            Operation::Override { gate, seconds: length.duration().as_secs(), reason }
        }
        Task::Release { gate } => Operation::Release { gate },
        Task::Mute { target, length, from, until, every, reason } => {
            let until_ms = until.map(|until| until.0);
            let when = match (length, every, until_ms) {
                (Some(length), ..) => When::For { seconds: length.duration().as_secs() },
                (None, Some(hours), until_ms) => When::Weekly { hours, until_ms },
                (None, None, until_ms) => When::Between {
                    from_ms: from.map_or_else(|| jiff::Timestamp::now().as_millisecond(), |from| from.0),
                    until_ms: until_ms.unwrap_or_default(),
                },
            };
            Operation::Mute { target, when, reason }
        }
        Task::Unmute { mute } => Operation::Unmute { mute },
        Task::Ack { node, metric, length, reason } => {
            let seconds = length.map(|length| length.duration().as_secs());
            Operation::Ack { node, metric, seconds, reason }
        }
        Task::Set { target, metric, warning, error, reason } => {
            Operation::Set { target, metric, warning, error, reason }
        }
        Task::Reset { target, metric } => Operation::Reset { target, metric },
        Task::Keys => Operation::Keys {},
        Task::Approve { node, key } => Operation::Approve { node, key },
        Task::Revoke { target, reason } => Operation::Revoke { target, reason },
        Task::Join { target, nodes, length } => {
            Operation::Join { nodes: target, uses: nodes, seconds: length.duration().as_secs() }
        }
        Task::EndJoin { id } => Operation::EndJoin { id },
        Task::Forget { node } => Operation::Forget { node },
        Task::Reload => Operation::Reload {},
        // The others are asked page by page, or of nobody.
        Task::Status { .. }
        | Task::Nodes { node: None }
        | Task::Events { .. }
        | Task::Completion { .. }
        | Task::BusKey { .. } => Operation::Status {},
    }
}

/// Every page of nodes, the worst first, of equals by name.
fn all_nodes(client: &mut Client) -> Result<Nodes, AskError> {
    let mut all = Nodes::default();
    loop {
        let after = all.nodes.last().map(|line| line.node.clone());
        let Answer::Nodes(mut page) = client.ask(Operation::Nodes { after })? else {
            return Err(AskError::Language("no nodes".into()));
        };
        let more = page.more && !page.nodes.is_empty();
        all.nodes.append(&mut page.nodes);
        if !more {
            break;
        }
    }
    all.nodes.sort_by(|a, b| {
        let grave = |line: &lamon_control::answer::NodeLine| {
            (line.muted, std::cmp::Reverse(show::gravity(&line.level)))
        };
        grave(a).cmp(&grave(b)).then_with(|| a.node.cmp(&b.node))
    });
    Ok(all)
}

fn checked(status: &Status) -> ExitCode {
    match status.level.as_str() {
        "good" => ExitCode::SUCCESS,
        "warning" => ExitCode::from(exit::WARNING),
        _ => ExitCode::from(exit::ERROR),
    }
}

fn paint(colours: Colours) -> Paint {
    Paint(match colours {
        Colours::Always => true,
        Colours::Never => false,
        Colours::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    })
}

/// A reader that went away (`lamon events | head`) is no fault.
fn put(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
