//! A client's `X`: done at once where the program is not asked, else when its handler had its turn.

use std::sync::Arc;

use rts2_proto::{CommandReturn, Rest, SetOp, Text};
use tokio_util::sync::CancellationToken;

use crate::handlers::Caller;
use crate::lane::{Begun, Kind};
use crate::shared::Shared;

/// Begins a set. While handlers are at work, a set of a value that has one waits for its turn even if it is wrong or
/// changes nothing: what a value becomes, and so whether a `+` fits, is known only when those before are done.
pub(crate) fn begin(
    shared: &Arc<Shared>,
    name: Text<'_>,
    op: SetOp,
    operand: Rest<'_>,
    caller: Caller,
    end: CancellationToken,
) -> Begun {
    let idle = shared.lane.is_idle();
    {
        let mut state = shared.lock();
        match state.table.prepare_set(name, op, operand) {
            Ok(Some(set)) if set.on_set.is_none() => {
                let changed = state.table.set(set.index, Some(set.data), None);
                drop(state);
                if changed {
                    shared.wake();
                }
                return Begun::Ended(CommandReturn::ok());
            }
            Ok(Some(_)) => {}
            Ok(None) if idle || !state.table.has_handler(name) => {
                return Begun::Ended(CommandReturn::ok());
            }
            Err(end) if idle || !state.table.has_handler(name) => return Begun::Ended(end),
            Ok(None) | Err(_) => {}
        }
    }
    let work = turn(Arc::clone(shared), name.as_bytes().to_vec(), op, operand.as_bytes().to_vec(), caller);
    shared.lane.submit(Kind::Command, end, work).into()
}

/// A set whose turn has come.
async fn turn(
    shared: Arc<Shared>,
    name: Vec<u8>,
    op: SetOp,
    operand: Vec<u8>,
    caller: Caller,
) -> CommandReturn {
    let (Ok(name), Ok(operand)) = (Text::new(&name), Rest::new(&operand)) else {
        return CommandReturn::bad_parameters(b"X");
    };
    let prepared = shared.lock().table.prepare_set(name, op, operand);
    let set = match prepared {
        Ok(Some(set)) => set,
        Ok(None) => return CommandReturn::ok(),
        Err(end) => return end,
    };
    if let Some(on_set) = set.on_set
        && let Err(refusal) = on_set(caller, &set.data).await
    {
        return refusal.command_return();
    }
    shared.set(set.index, Some(set.data), None);
    CommandReturn::ok()
}
