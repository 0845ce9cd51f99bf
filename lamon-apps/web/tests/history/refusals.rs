//! What makes no sense is answered with a sentence.

use lamon_store::ArchiveUrl;

use crate::program::{T0, Web, fill, sample};

#[test]
fn every_parameter_that_is_malformed_or_out_of_range_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    fill(&ArchiveUrl::sqlite(&file), &[sample("ccd01", T0, 1, &[("cpu_percent", 1.0)])]);
    let web = Web::over(&file);
    let many = |count: usize| (0..count).map(|number| format!("n{number}")).collect::<Vec<_>>().join(",");
    let times = format!("from={T0}&to={}", T0 + 1);
    let curves = |nodes: &str, metrics: &str, more: &str| {
        format!("/api/v1/history?nodes={nodes}&metrics={metrics}&{times}{more}")
    };
    let years = format!("from=0&to={}", 20 * 366 * 86_400_000_i64 + 1);
    for (path, code, words) in [
        ("/api/v1/history".into(), 400, "nodes"),
        (format!("/api/v1/history?nodes=ccd01&metrics=a&from={T0}"), 400, "to"),
        (format!("/api/v1/history?nodes=ccd01&metrics=a&from={T0}&to=soon"), 400, "to"),
        (format!("/api/v1/history?nodes=ccd01&metrics=a&from={T0}&to={T0}"), 400, "is not before"),
        ("/api/v1/history?nodes=ccd01&metrics=a&from=-1&to=5".into(), 400, "from is a time"),
        (format!("/api/v1/history?nodes=ccd01&metrics=a&from={T0}&to={}", i64::MAX), 400, "to is a time"),
        ("/api/v1/history?nodes=ccd01&metrics=a&from=1&to=99999999999999999999".into(), 400, "to"),
        (format!("/api/v1/history?nodes=ccd01&metrics=a&{years}"), 400, "20 years"),
        (curves("", "a", ""), 400, "nodes are names"),
        (curves("ccd01,", "a", ""), 400, "nodes are names"),
        (curves("ccd01", "", ""), 400, "metrics are names"),
        (curves(&many(17), "a", ""), 400, "nodes are 16 at most"),
        (curves("ccd01", &many(9), ""), 400, "metrics are 8 at most"),
        (curves("ccd01", "a", "&points=1"), 400, "points is 2 to 5000"),
        (curves("ccd01", "a", "&points=5001"), 400, "points is 2 to 5000"),
        (curves("ccd01", "a", "&points=-1"), 400, "points"),
        (curves("ccd01", "a", "&colour=red"), 400, "colour"),
        (curves("ccd01,nobody", "a", ""), 404, "no node \"nobody\" is known"),
        (curves("ccd01'--", "a", ""), 404, "is known"),
        (curves("%FF", "a", ""), 404, "is known"),
        (format!("/api/v1/samples?{times}"), 400, "node"),
        (format!("/api/v1/samples?node=ccd01&{years}"), 400, "20 years"),
        (format!("/api/v1/samples?node=ccd01&{times}&count=0"), 400, "count is 1 to 1000"),
        (format!("/api/v1/samples?node=ccd01&{times}&count=1001"), 400, "count is 1 to 1000"),
        (format!("/api/v1/samples?node=ccd01&{times}&next=back"), 400, "next is what"),
        (format!("/api/v1/samples.csv?node=ccd01&{years}"), 400, "20 years"),
        (format!("/api/v1/samples.csv?node=ccd01&{times}&metrics=,"), 400, "metrics are names"),
        (format!("/api/v1/samples.csv?node=nobody&{times}"), 404, "is known"),
        (format!("/api/v1/events?from={T0}"), 400, "from and to go together"),
        (format!("/api/v1/events?to={T0}"), 400, "from and to go together"),
        ("/api/v1/events?next=1.1.h".into(), 400, "next with them"),
        (format!("/api/v1/events?{years}"), 400, "20 years"),
        (format!("/api/v1/events?{times}&next=1"), 400, "next is what"),
        (format!("/api/v1/events?{times}&next={}.1.h", T0 + 1), 400, "next is what"),
        (format!("/api/v1/events?{times}&level=bad"), 400, "bad"),
        (format!("/api/v1/events?{times}&count=1001"), 400, "count is 1 to 1000"),
        (format!("/api/v1/events?{times}&text={}", "x".repeat(201)), 400, "text has 200 bytes"),
        ("/api/v1/nodes/nobody/disks".into(), 404, "no node \"nobody\" is known"),
        ("/api/v1/nodes/%FF/disks".into(), 400, "UTF-8"),
        (format!("/api/v1/samples?node=nobody&{times}"), 404, "no node \"nobody\" is known"),
    ] {
        let (status, sentence) = web.refusal(&path);
        assert_eq!(status, code, "{path}: {sentence}");
        assert!(sentence.contains(words), "{path}: {sentence}");
    }
    // What is odd but has a meaning.
    assert_eq!(web.get(&curves("ccd01,ccd01", "a,a,%3Cb%3E", "")).0, 200);
}
