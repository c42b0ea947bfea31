//! `/metrics`: what it counts, and what it never says.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tower::ServiceExt as _;

use tokenhouse::metrics;
use tokenhouse::router::{framed, requests, tenant_routes};
use tokenhouse::web::door::Frame;
use tokenhouse_protocol::id::TenantId;

use crate::house::{AUDIENCE, Ask, House, form, with_secret};

/// A house whose requests are counted, and where the figures are read.
struct Measured {
    house: House,
    front: Router,
    metrics: Router,
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status() {
    let measured = Measured::new().await;
    measured.token("client_credentials").await;
    measured.token("client_credentials").await;
    measured.token("no_such_grant").await;
    for path in ["/healthz", "/.well-known/jwks.json", "/nowhere/AAA", "/nowhere/BBB"] {
        measured.get(path).await;
    }
    let page = measured.page().await;
    for line in [
        r#"tokenhouse_requests_total{route="/oauth/token",method="POST",status="200"} 2"#,
        r#"tokenhouse_requests_total{route="/oauth/token",method="POST",status="403"} 1"#,
        r#"tokenhouse_requests_total{route="/healthz",method="GET",status="200"} 1"#,
        r#"tokenhouse_requests_total{route="/.well-known/jwks.json",method="GET",status="200"} 1"#,
        r#"tokenhouse_requests_total{route="unmatched",method="GET",status="404"} 2"#,
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in:\n{page}");
    }
    assert!(!page.contains("nowhere"), "{page}");
}

#[tokio::test]
async fn every_route_is_counted_under_its_own_name() {
    let measured = Measured::new().await;
    for (path, _) in tenant_routes() {
        measured.get(path).await;
    }
    let page = measured.page().await;
    for (path, _) in tenant_routes() {
        assert!(page.contains(&format!("route=\"{path}\"")), "{path} is not in:\n{page}");
    }
}

#[tokio::test]
async fn requests_to_the_management_api_are_counted_by_the_row_that_answered() {
    let measured = Measured::new().await;
    for path in ["clients/AAA", "clients/BBB", "nowhere/AAA", "nowhere/BBB"] {
        measured.get(&format!("/api/v2/{path}")).await;
    }
    for method in ["DELETE", "PUT", "BREW"] {
        measured.send(&Ask::new(method, "/api/v2/clients/AAA")).await;
    }
    let page = measured.page().await;
    for line in [
        r#"tokenhouse_requests_total{route="/api/v2/clients/{id}",method="GET",status="401"} 2"#,
        r#"tokenhouse_requests_total{route="/api/v2/clients/{id}",method="DELETE",status="401"} 1"#,
        r#"tokenhouse_requests_total{route="/api/v2/{*path}",method="GET",status="404"} 2"#,
        r#"tokenhouse_requests_total{route="/api/v2/{*path}",method="PUT",status="405"} 1"#,
        r#"tokenhouse_requests_total{route="/api/v2/{*path}",method="other",status="405"} 1"#,
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in:\n{page}");
    }
    for word in ["AAA", "BBB", "BREW", "nowhere"] {
        assert!(!page.contains(word), "{word} is in:\n{page}");
    }
}

#[tokio::test]
async fn tokens_are_counted_once_they_are_durable() {
    let measured = Measured::new().await;
    for _ in 0..3 {
        measured.token("client_credentials").await;
    }
    measured.house.written().await;
    let page = measured.page().await;
    assert!(
        page.contains("\ntokenhouse_tokens_total{grant=\"client_credentials\"} 3\n"),
        "{page}"
    );
    let batches = figure(&page, "tokenhouse_commit_seconds_count");
    assert!(batches >= 3.0, "{page}");
    assert_eq!(
        figure(&page, "tokenhouse_commit_seconds_bucket{le=\"+Inf\"}").to_bits(),
        batches.to_bits()
    );
    assert!(figure(&page, "tokenhouse_batch_jobs_sum") >= 3.0, "{page}");
    assert!(figure(&page, "tokenhouse_batch_wait_seconds_count") >= 3.0, "{page}");
    assert_eq!(
        figure(&page, "tokenhouse_queue_length{queue=\"commit\"}").to_bits(),
        0_f64.to_bits()
    );
}

#[tokio::test]
async fn reads_of_the_database_are_timed() {
    let measured = Measured::new().await;
    let reads = async || figure(&measured.page().await, "tokenhouse_database_read_seconds_count");
    let (first, second) = (reads().await, reads().await);
    measured.token("client_credentials").await;
    let third = reads().await;
    // A page reads the keys' ages, always as often; the token's application and API were read beside that.
    let own = second - first;
    assert!(own > 0.0 && third - second > own, "{first} {second} {third}");
    let page = measured.page().await;
    let all = figure(&page, "tokenhouse_database_read_seconds_bucket{le=\"+Inf\"}");
    assert!(all > third, "{page}");
    let took = figure(&page, "tokenhouse_database_read_seconds_sum");
    assert!(took > 0.0 && took < 60.0, "{page}");
}

#[tokio::test]
async fn refusals_are_counted_by_reason() {
    let measured = Measured::new().await;
    measured.token("no_such_grant").await;
    measured.token("no_such_grant").await;
    let page = measured.page().await;
    assert!(
        page.contains("\ntokenhouse_refusals_total{reason=\"unsupported_grant_type\"} 2\n"),
        "{page}"
    );
}

#[tokio::test]
async fn look_ups_and_both_queues_are_counted() {
    let measured = Measured::new().await;
    for _ in 0..3 {
        measured.token("client_credentials").await;
    }
    let page = measured.page().await;
    let hits = figure(
        &page,
        "tokenhouse_cache_requests_total{cache=\"applications\",result=\"hit\"}",
    );
    let misses = figure(
        &page,
        "tokenhouse_cache_requests_total{cache=\"applications\",result=\"miss\"}",
    );
    assert!(hits >= 2.0 && misses >= 1.0, "{page}");
    assert!(
        figure(&page, "tokenhouse_queue_length{queue=\"password\"}") < 1.0,
        "{page}"
    );
}

#[tokio::test]
async fn a_signing_key_grows_older() {
    let measured = Measured::new().await;
    measured.house.advance_s(3600);
    let page = measured.page().await;
    let age = figure(&page, "tokenhouse_key_age_seconds{algorithm=\"RS256\"}");
    assert!((3600.0..3700.0).contains(&age), "{page}");
}

#[tokio::test]
async fn metrics_name_no_tenant_and_are_not_on_the_public_listener() {
    let measured = Measured::new().await;
    let tenant = TenantId::default_tenant();
    measured.token("client_credentials").await;
    let page = measured.page().await;
    assert!(
        !page.contains(tenant.as_str()) && !page.contains(&measured.house.samples.sample.client_id),
        "{page}"
    );
    assert_eq!(measured.get("/metrics").await, 404);
}

#[tokio::test]
async fn every_line_is_one_that_prometheus_reads() {
    let measured = Measured::new().await;
    measured.token("client_credentials").await;
    let page = measured.page().await;
    for line in page.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let name = series.split('{').next().unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
        assert!(value.parse::<f64>().is_ok_and(|value| value >= 0.0), "{line}");
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
        assert!(page.contains(&format!("# TYPE {family} ")), "{line}");
    }
}

impl Measured {
    async fn new() -> Self {
        let house = House::new().await;
        let frame = Frame {
            app: house.app.clone(),
            proxies: Arc::new([]),
            requests: requests(),
        };
        Self {
            front: framed(&frame),
            metrics: metrics::router(&house.app, &frame.requests),
            house,
        }
    }

    async fn get(&self, path: &str) -> u16 {
        self.send(&Ask::get(path)).await
    }

    async fn token(&self, grant: &str) -> u16 {
        let fields = [("grant_type", grant), ("audience", AUDIENCE)];
        let fields = with_secret(&self.house.samples.sample, &fields);
        self.send(&Ask::token(&fields).body(form(&fields))).await
    }

    async fn send(&self, ask: &Ask) -> u16 {
        let mut request = Request::builder().method(ask.method.clone()).uri(ask.target.as_str());
        for (name, value) in &ask.headers {
            request = request.header(name.as_str(), value.as_slice());
        }
        let request = request.body(Body::from(ask.body.clone())).unwrap();
        self.front.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    async fn page(&self) -> String {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let answer = self.metrics.clone().oneshot(request).await.unwrap();
        assert_eq!(
            answer.headers()["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
    }
}

/// The value of a series.
fn figure(page: &str, series: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is not in:\n{page}"))
        .parse()
        .unwrap()
}
