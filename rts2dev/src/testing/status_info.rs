//! `status_info`: somebody needs fresh states, so every device is asked and the end waits for all of them
//! (RTS2 src/centrald/centrald.cpp, `statusInfo` and `updateStatusWait`).
//!
//! As under the real centrald, a device that does not answer holds the asker up until its connection ends, which the
//! keep-alive does after ten minutes of silence. Two things are otherwise on purpose: strangers are not asked (one who
//! only connects and says nothing would hold everybody up), and of two rounds of the same asker each gets its end.

use rts2_proto::{Command, CommandReturn, ErrorCode, Line};

use super::action::Actions;
use super::core::Core;
use super::peer::{Peer, PeerId};

/// Rounds of one asker at the same time. RTS2's own programs have one.
const MAX_ROUNDS_OF_ONE: usize = 4;

/// A round that waits for answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusInfo {
    asker: PeerId,
    pub(super) waits_for: usize,
}

impl Core {
    /// Begins a round. A device asks those only that may block it.
    pub(super) fn status_info(&mut self, id: PeerId, out: &mut Actions) {
        if self.rounds.values().filter(|round| round.asker == id).count() >= MAX_ROUNDS_OF_ONE {
            let end = CommandReturn::failed(ErrorCode::System, "too many status_info at the same time");
            return self.end(id, &end, out);
        }
        let asked: Vec<PeerId> = self
            .peers
            .iter()
            .filter(|(other, peer)| **other != id && peer.is_device() && self.may_block(peer, id))
            .map(|(other, _)| *other)
            .collect();
        if asked.is_empty() {
            return self.end(id, &CommandReturn::ok(), out);
        }
        let round = self.next_round;
        self.next_round = self.next_round.wrapping_add(1);
        self.rounds.insert(round, StatusInfo { asker: id, waits_for: asked.len() });
        for device in asked {
            let Some(peer) = self.peers.get_mut(&device) else { continue };
            peer.asked.push_back(round);
            if peer.asked.len() == 1 {
                out.send(device, &Line::Command(Command::StatusInfo));
            }
        }
    }

    /// A device ended the only command that it ever gets. Whether well or not is the same (`commandReturnFailed`).
    pub(super) fn round_answered(&mut self, id: PeerId, out: &mut Actions) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Some(round) = peer.asked.pop_front() else { return };
        if !peer.asked.is_empty() {
            out.send(id, &Line::Command(Command::StatusInfo));
        }
        self.one_less(round, out);
    }

    /// A connection ended: it asks no more, and nobody waits for it.
    pub(super) fn forget_rounds(&mut self, id: PeerId, gone: &Peer, out: &mut Actions) {
        self.rounds.retain(|_, round| round.asker != id);
        for round in &gone.asked {
            self.one_less(*round, out);
        }
    }

    fn one_less(&mut self, round: u64, out: &mut Actions) {
        let Some(waiting) = self.rounds.get_mut(&round) else { return };
        waiting.waits_for = waiting.waits_for.saturating_sub(1);
        if waiting.waits_for > 0 {
            return;
        }
        let asker = waiting.asker;
        self.rounds.remove(&round);
        let bop = self.state_for(asker);
        out.send(asker, &Line::BopState { state: self.state, bop });
        self.end(asker, &CommandReturn::ok(), out);
    }
}
