//! What stays wrong is told again, and to others; what is over though no event said so is ended.

use lamon_bus::Level;

use super::happening::Happening;
use super::state::{Group, Problem};
use super::{Dispatch, Moment, words};

/// The picture says that a problem is over; its event gets this long to come before it is taken as lost, seconds.
const EVENT_LOST_AFTER: f64 = 30.0;

impl Dispatch {
    /// Repeats and escalates what is still wrong.
    pub(super) fn remind(&mut self, now: Moment) {
        for problem in self.state.problems.values_mut() {
            if problem.acknowledged || problem.muted || problem.well.is_some() {
                continue;
            }
            let line = words::still(problem, now.unix);
            for route in &self.routes {
                let quiet = route.quiet.is_some_and(|quiet| quiet.contains(now.minute));
                let Some(told) = problem.told.get_mut(&route.name).filter(|_| !quiet) else { continue };
                let due = now.unix + self.window;
                let mut push = |name: String, line: &str| {
                    let group =
                        self.state.groups.entry(name).or_insert_with(|| Group { due, ..Default::default() });
                    group.push(&problem.last, line, now.minute);
                };
                if route.repeat.is_some_and(|repeat| now.unix - told.last >= repeat.as_secs_f64()) {
                    told.last = now.unix;
                    self.changed = true;
                    push(route.name.clone(), &line);
                }
                if let Some(escalate) = &route.escalate
                    && !told.escalated
                    && now.unix - told.first >= escalate.after.as_secs_f64()
                {
                    told.escalated = true;
                    self.changed = true;
                    push(format!("{}!", route.name), &format!("nobody acknowledged it: {line}"));
                }
            }
        }
    }

    /// Ends problems of which the picture says for a while that they are over: their events were lost.
    pub(super) fn end_lost(&mut self, now: Moment) {
        let lost = |problem: &Problem| problem.well.is_some_and(|well| now.unix - well >= EVENT_LOST_AFTER);
        let over: Vec<String> = self
            .state
            .problems
            .iter()
            .filter(|(_, problem)| lost(problem))
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            let Some(problem) = self.state.problems.get(&key) else { continue };
            let (last, since, muted) = (problem.last.clone(), problem.since, problem.muted);
            let happening = Happening { level: Level::Good, text: words::well(&last), ..last };
            let line = words::over(&happening.text, problem.well.unwrap_or(now.unix) - since);
            if !muted {
                self.tell(&happening, Some(&key), &line, now);
            }
            self.state.problems.remove(&key);
            self.changed = true;
        }
    }
}
