//! How long the watch takes for a sample: ten metrics, fifty rules, a hundred nodes.
//!
//! ```text
//! cargo run --release -p lamon-collector --example judge_rate
//! ```
#![expect(clippy::print_stdout, reason = "what it is for")]
#![expect(clippy::unwrap_used, reason = "an example stops at its first fault")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_collector::sample::{Arrival, Identity, Now, Sample};
use lamon_collector::watch::{Groups, Rule, Rules, Watch};
use lamon_wire::metric::CORE;
use lamon_wire::names::{MetricName, NodeName};
use serde::Deserialize;

const NODES: u64 = 100;
const ROUNDS: u64 = 5_000;

#[derive(Deserialize)]
struct File {
    rule: Vec<Rule>,
}

fn main() {
    let mut file = String::new();
    for number in 0..50 {
        let metric = CORE.get(number % CORE.len()).unwrap();
        let hold = if number % 2 == 0 { "for = '2 of 3'" } else { "clear = 1" };
        file += &format!(
            "[[rule]]\nnodes = ['n{number}', 'x{number}*', '*{}']\nmetrics = ['{metric}']\nwarning = 1e12\nerror = 2e12\n{hold}\n",
            number % 10
        );
    }
    let rules = Rules::new(toml::from_str::<File>(&file).unwrap().rule);
    let mut watch = Watch::new(rules, Groups::default());
    let start = Instant::now();
    let at = |seconds| Now { monotonic: start + Duration::from_secs(seconds), unix_ms: 1_795_000_000_000 };
    let sample = |node: u64, sequence| Sample {
        node: NodeName::new(&format!("n{node}")).unwrap(),
        identity: Identity { epoch: 1, sequence },
        taken_ms: 1_795_000_000_000,
        age: Duration::ZERO,
        interval: Some(Duration::from_secs(10)),
        arrival: Arrival::Ordered,
        metrics: CORE.iter().map(|name| (MetricName::new(name).unwrap(), 1.0)).collect(),
    };
    let mut taken = Duration::ZERO;
    for round in 0..ROUNDS {
        let samples: Vec<_> = (0..NODES).map(|node| Arc::new(sample(node, round + 1))).collect();
        let begun = Instant::now();
        for sample in &samples {
            watch.handle_sample(at(round * 10), sample).unwrap();
        }
        if round > 0 {
            taken += begun.elapsed();
        }
    }
    let each = taken.as_secs_f64() * 1e6 / (ROUNDS - 1) as f64 / NODES as f64;
    println!("a sample of {} metrics with 50 rules: {each:.2} µs", CORE.len());
}
