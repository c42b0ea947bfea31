//! `load`: sends requests made from a template and a list of words, and prints what came of it as JSON.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use tokenhouse_bench::generator::{self, Plan, Until};
use tokenhouse_bench::response::member;
use tokenhouse_bench::{Outcome, exit};

/// A load generator on one thread. In the path, --header and --body, {1} and {2} stand for the words of a line of
/// --lines.
#[derive(Parser)]
struct Arguments {
    /// http://HOST:PORT/PATH
    url: String,
    /// Connections, each with one request in flight
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How long to measure
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How long to run before measuring
    #[arg(long, default_value_t = 0.0)]
    warm_up: f64,
    /// Stop after so many requests, in place of --seconds
    #[arg(long)]
    requests: Option<usize>,
    /// Requests to start per second; without it, each when the one before it was answered
    #[arg(long)]
    rate: Option<f64>,
    /// The method
    #[arg(long, default_value = "GET")]
    method: String,
    /// A header line; may be repeated
    #[arg(long)]
    header: Vec<String>,
    /// The body
    #[arg(long, default_value = "")]
    body: String,
    /// A file of words; each line makes a request, and they are sent in turn
    #[arg(long, value_name = "FILE")]
    lines: Option<PathBuf>,
    /// Leave out so many lines
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// Take so many lines
    #[arg(long)]
    take: Option<usize>,
    /// Stay awake where there is nothing to do, so that the server has nobody to wake
    #[arg(long)]
    awake: bool,
    /// Write the access tokens of the answers to this file, one a line
    #[arg(long, value_name = "FILE")]
    save_tokens: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Outcome<()> {
    let (authority, path) = target(&arguments.url)?;
    let plan = Plan {
        address: address(authority)?,
        requests: requests(&arguments, authority, path)?,
        connections: arguments.connections,
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        until: match arguments.requests {
            Some(requests) => Until::Requests(requests),
            None => Until::Time(Duration::from_secs_f64(arguments.seconds)),
        },
        rate_per_s: arguments.rate,
        keep_bodies: arguments.save_tokens.is_some(),
        is_awake: arguments.awake,
    };
    let (report, bodies) = generator::run(plan).await?;
    if let Some(file) = arguments.save_tokens {
        let tokens: String = bodies
            .iter()
            .filter_map(|body| member(std::str::from_utf8(body).ok()?, "access_token"))
            .flat_map(|token| [token, "\n"])
            .collect();
        fs::write(file, tokens)?;
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn target(url: &str) -> Outcome<(&str, &str)> {
    let rest = url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    Ok((authority, if path.is_empty() { "/" } else { path }))
}

/// The address on IPv4, which every server here listens on.
fn address(authority: &str) -> Outcome<SocketAddr> {
    let found = authority.to_socket_addrs()?.find(SocketAddr::is_ipv4);
    Ok(found.ok_or("the host has no IPv4 address")?)
}

fn requests(arguments: &Arguments, authority: &str, path: &str) -> Outcome<Vec<Vec<u8>>> {
    let lines = match &arguments.lines {
        Some(file) => fs::read_to_string(file)?,
        None => "\n".into(),
    };
    let taken = lines
        .lines()
        .skip(arguments.skip)
        .take(arguments.take.unwrap_or(usize::MAX));
    Ok(taken.map(|line| request(arguments, authority, path, line)).collect())
}

fn request(arguments: &Arguments, authority: &str, path: &str, line: &str) -> Vec<u8> {
    let mut words = line.split_whitespace();
    let words = [words.next().unwrap_or_default(), words.next().unwrap_or_default()];
    let filled = |template: &str| template.replace("{1}", words[0]).replace("{2}", words[1]);
    let body = filled(&arguments.body);
    let mut request = format!(
        "{} {} HTTP/1.1\r\nHost: {authority}\r\n",
        arguments.method,
        filled(path)
    );
    for header in &arguments.header {
        request += &filled(header);
        request += "\r\n";
    }
    if arguments.method != "GET" {
        request += &format!("Content-Length: {}\r\n", body.len());
    }
    request += "\r\n";
    request += &body;
    request.into_bytes()
}
