//! Every fault of `make chaos`, for a moment: nothing that was acknowledged is lost or doubled.

use std::sync::Arc;

use anyhow::Context;
use lamon_tests::chaos::faults;

/// Runs a fault a few times, at instants that are other ones each time.
async fn run(name: &str, times: u32) -> anyhow::Result<()> {
    let fault = faults::named(name).context("no such fault")?;
    let seed = fastrand::u64(..1_000_000);
    let outcome = fault.run(&std::env::temp_dir(), seed, times, Arc::default()).await?;
    assert!(outcome.is_good(), "with --seed {seed} --times {times}: {outcome:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_killed() {
    run("hub-killed", 3).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_killed() {
    run("database-killed", 2).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_cut() {
    run("network-cut", 3).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_installed_anew() {
    run("reinstalled", 3).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_killed_at_its_upkeep() {
    run("upkeep-killed", 2).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_agents_killed() {
    run("agent-killed", 5).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_killed_at_once() {
    run("all-killed", 2).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_full() {
    run("disk-full", 2).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_torn() {
    run("torn-journal", 3).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_gone_for_a_month() {
    run("database-gone", 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_set_by_hours() {
    run("clock-jumps", 4).await.unwrap();
}
