//! The API of `guarded-api` without a framework: hyper, a tower service, and the guard's layer around each of its parts.
//!
//! `cargo run -p guarded-service -- http://localhost:4000/ https://api.example.com 127.0.0.1:3021`, then
//! `curl -i http://127.0.0.1:3021/api/private -H "Authorization: Bearer $TOKEN"`; works with any OpenID issuer. Clients
//! that know nothing but its address find the issuer: `curl -i http://127.0.0.1:3021/api/private` says where.

use std::convert::Infallible;
use std::error::Error;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokenhouse_guard::{AccessToken, BuildError, Guard, Requirement};
use tokio::net::TcpListener;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

type Api = BoxCloneService<Request<Incoming>, Response<String>, Infallible>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [issuer, audience, listen] = arguments.as_slice() else {
        return Err(
            "arguments: ISSUER AUDIENCE LISTEN, as http://localhost:4000/ https://api.example.com 127.0.0.1:3021"
                .into(),
        );
    };
    let listener = TcpListener::bind(listen).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let guard = Guard::builder()
        .issuer(issuer)
        .audience(audience)
        .resource(&address)
        .scopes_supported(["read:messages"])
        .build()?;
    let api = api(&guard)?;
    println!("listening on {address}");
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(api.clone());
        tokio::spawn(async move {
            let mut server = http1::Builder::new();
            // Without a timer hyper waits for ever for a caller who says nothing.
            server.timer(TokioTimer::new());
            // A caller who hung up is nobody's fault.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn api(guard: &Guard) -> Result<Api, BuildError> {
    let private = guard.layer().layer(service_fn(private));
    let reading = guard.layer().scope("read:messages");
    // The author of an API that is all of one kind gives its methods one by one: what is not named is closed.
    let reading = reading.require_for(Method::GET, Requirement::nothing());
    let scoped = reading.layer(service_fn(scoped));
    let metadata = guard.resource_metadata()?;
    let routes = service_fn(move |request: Request<Incoming>| {
        let (private, scoped, metadata) = (private.clone(), scoped.clone(), metadata.clone());
        async move {
            match request.uri().path() {
                "/api/public" => Ok(Response::new("Anyone may read this.\n".to_owned())),
                "/api/private" => private.oneshot(request).await,
                "/api/private-scoped" => scoped.oneshot(request).await,
                path if path == metadata.path() => metadata.oneshot(request).await,
                _ => {
                    let mut response = Response::new("There is nothing here.\n".to_owned());
                    *response.status_mut() = StatusCode::NOT_FOUND;
                    Ok(response)
                }
            }
        }
    });
    Ok(BoxCloneService::new(routes))
}

async fn private(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let token = request.extensions().get::<AccessToken>();
    let subject = token.and_then(AccessToken::subject).unwrap_or("whoever you are");
    Ok(Response::new(format!("Your token is valid, {subject}.\n")))
}

async fn scoped(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let token = request.extensions().get::<AccessToken>();
    let scopes = token.map(|token| token.scopes().join(" ")).unwrap_or_default();
    Ok(Response::new(format!("Your token allows: {scopes}.\n")))
}
