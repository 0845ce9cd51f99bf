//! The original in the loop: one suite of cases, each written once and run in two worlds.
//!
//! `builtin::…` runs against `testing::Centrald` and a dummy sensor of ours, always. `real::…` runs against
//! rts2-centrald, rts2-sensor-dummy and their like on loopback, where `RTS2_BINDIR` says where they are; without, the
//! suite says in one line what was not run. Cases that need a program that has no counterpart here are in `real` only.
//!
//! Environment: `RTS2_BINDIR`, the folder of RTS2's programs; `RTS2_PRELOAD`, a library that keeps its daemons to
//! loopback; `RTS2_CLIENT_PRELOAD`, a library with a `getlogin` that works without a terminal, which RTS2's clients need.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../common/mod.rs"]
mod common;

mod client;
mod dummy;
mod exposure;
mod monitor;
mod sensor;
mod sensor_rules;
mod world;

use world::World;

/// Makes two tests of each case: `builtin::case` and `real::case`.
macro_rules! both {
    ($($module:ident::$case:ident,)*) => {
        mod builtin {
            $(#[tokio::test]
            async fn $case() {
                crate::$module::$case(&super::World::BuiltIn).await;
            })*
        }
        mod real {
            $(#[tokio::test]
            async fn $case() {
                if let Some(world) = super::World::real() {
                    crate::$module::$case(&world).await;
                }
            })*
        }
    };
}

both! {
    sensor::it_registers_and_clients_see_its_values,
    sensor::values_change_with_their_levels,
    sensor::sets_and_their_refusals,
    sensor::messages_reach_centrald_and_its_clients,
    sensor::it_comes_back_after_a_restart_of_centrald,
    sensor::a_taken_name_stands_by_and_takes_over,
    sensor::only_the_right_key_is_authorized,
    sensor_rules::what_it_blocks_is_blocked_for_all,
    sensor_rules::blocked_by_says_who_may_block,
    sensor_rules::everybodys_state_is_asked,
    sensor_rules::bad_weather_has_a_reason,
    sensor_rules::a_missing_required_device_stops_everything,
    client::every_value_of_the_dummy_sensor,
    client::every_set_and_every_error,
    client::levels_changes_and_the_end_of_the_dummy_sensor,
}

/// Programs of RTS2 that have no counterpart here.
mod real_only {
    use super::{World, exposure, monitor, world};

    #[tokio::test]
    async fn our_sensor_blocks_an_exposure_and_is_in_its_image() {
        if let Some(world) = World::real_with_clients() {
            exposure::our_sensor_blocks_an_exposure_and_is_in_its_image(&world).await;
        }
    }

    #[tokio::test]
    async fn our_client_takes_an_image() {
        if let Some(world) = World::real() {
            exposure::our_client_takes_an_image(&world).await;
        }
    }

    #[tokio::test]
    async fn rts2_mon_shows_our_values_in_their_colours() {
        if let Some(world) = World::real_with_clients()
            && world::tmux()
        {
            monitor::rts2_mon_shows_our_values_in_their_colours(&world).await;
        }
    }
}
