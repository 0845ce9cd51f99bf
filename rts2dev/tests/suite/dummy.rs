//! A sensor of ours that declares what rts2-sensor-dummy declares, and does what clients can see it do.

use std::time::Duration;

use rts2dev::proto::{DisplayType, Level};
use rts2dev::{DeviceHandle, Time};

pub(crate) fn declare(h: &DeviceHandle) {
    h.time("next_good_weather", "date and time of next good weather").fits().declare().unwrap();
    h.integer("TEST_INT", "test integer value").fits().autosave().writable().declare().unwrap();
    h.double("TEST_DOUBLE", "test double value").fits().autosave().writable().declare().unwrap();
    let limit = "test value for double; if < TEST_DOUBLE, weather will be swicthed to bad";
    h.double("test_limit", limit).fits().autosave().writable().declare().unwrap();
    h.string("test_string", "test string").writable().declare().unwrap();
    let random = h.double("random_double", "random double value").declare().unwrap();
    let interval = "[s] time interval between generating two random doubles";
    h.float("random_interval", interval).initial(1.0).writable().declare().unwrap();
    let states = ["CLOSED", "opening", "OPEN", "closing"];
    h.selection("open_close", "open/close state", &states).writable().declare().unwrap();
    let time = h.time("TEST_TIME", "test time value").fits().autosave().writable().declare().unwrap();
    let good = "if dummy sensor is reporting good weather";
    h.boolean("good_weather", good).initial(false).fits().writable().declare().unwrap();
    for reason in ["rain", "wind", "humidity", "cloud"] {
        let description = format!("weather reason {reason}");
        h.boolean(&format!("wr_{reason}"), &description).fits().writable().declare().unwrap();
    }
    let stop = "if dummy sensor should stop any movement";
    let stop = h.boolean("stop_move", stop).initial(false).writable().declare().unwrap();
    let levels = ["good", "warning", "error"];
    h.selection("stop_move_err", "error state of stop_move", &levels)
        .debug()
        .on_set(move |level| {
            stop.set_level([Level::Good, Level::Warning, Level::Error][usize::try_from(level.0).unwrap()]);
            std::future::ready(Ok(()))
        })
        .declare()
        .unwrap();
    h.ra_dec("ra_dec_test", "test ra dec value").writable().declare().unwrap();
    h.ra_dec("ra_dec_arcsec", "test ra dec value").display(DisplayType::ArcSec).writable().declare().unwrap();
    let on_off = "test true/false displayed as on/off";
    h.boolean("test_on_off", on_off).display(DisplayType::OnOff).writable().declare().unwrap();
    let stat = h.statistics("test_stat", "test stat value", 1000).fits().declare().unwrap();
    let group = DisplayType::Group(0);
    let content1 = h.doubles("test_content1", "test content 1").display(group);
    let content1 = content1.fits().writable().declare().unwrap();
    let content2 = h.doubles("test_content2", "test content 2").display(group).fits().declare().unwrap();
    let content3 = h.integers("test_content3", "test content 3").fits().writable().declare().unwrap();
    let bools = h.booleans("bools", "tests of boolean array").display(DisplayType::OnOff);
    bools.initial([false, true, true]).fits().debug().writable().declare().unwrap();
    let times = h.times("times", "tests of time array").fits().writable().declare().unwrap();
    let stat5 = h.statistics("test_stat_5", "test statiscal value", 5).display(DisplayType::Degrees);
    let stat5 = stat5.fits().declare().unwrap();
    let serie = h.time_serie("test_timeserie_6", "test timeserie value (with trending)", 1000);
    let serie = serie.fits().declare().unwrap();
    h.min_max::<f64>("test_minmax", "test minmax value").fits().writable().declare().unwrap();
    let degrees = h.min_max::<f64>("deg_minmax", "[deg] degrees test minmax value");
    degrees.display(DisplayType::Degrees).fits().writable().declare().unwrap();
    h.pid("test_PID", "test PID value").fits().writable().declare().unwrap();
    h.boolean("hw_error", "device current hardware error").writable().declare().unwrap();
    let enabled = "enable timer every 5 seconds";
    h.boolean("timer_enabled", enabled).initial(true).writable().declare().unwrap();
    let count = "timer count - increased every 5 seconds if timer_enabled is true";
    h.long("timer_count", count).writable().declare().unwrap();
    let critical = h.boolean("generate_critical", "generate critical messages with timer");
    critical.initial(false).display(DisplayType::OnOff).writable().declare().unwrap();
    let constant = h.integer("const_value", "test constant read-only autosave value");
    let constant = constant.autosave().declare().unwrap();

    h.command("add", move |(number,): (f64,)| {
        stat.add(number);
        stat5.add(number);
        serie.add(number);
        content1.set([content1.get(), vec![number]].concat());
        content2.set([content2.get(), vec![number / 2.0]].concat());
        #[expect(clippy::cast_possible_truncation, reason = "as the real one does")]
        let whole = number as i32;
        content3.set([content3.get(), vec![whole * 2]].concat());
        times.set([times.get(), vec![Time::now()]].concat());
        constant.set(whole);
        std::future::ready(Ok(()))
    })
    .unwrap();
    h.command("now", move |()| {
        time.set(Time::now());
        std::future::ready(Ok(()))
    })
    .unwrap();
    tokio::spawn(async move {
        for step in 0.. {
            random.set(f64::from(step % 1000) / 1000.0);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
}
