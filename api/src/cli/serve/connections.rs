//! Connections: how many at one time, how large the head of a request may be, and how long it may take.
//!
//! A client that sends its head a byte a minute would hold a connection for ever and cost nothing itself.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request, response::Response};
use futures::future::Either;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
};
use tower::Service;

/// Connections at one time; more wait outside until one ends.
const CONNECTIONS_MAX: usize = 4_096;
/// How long a client may take for the head of a request, also the next one of the same connection.
const HEAD_LIMIT: Duration = Duration::from_secs(20);
/// Largest head of a request, in bytes.
const HEAD_LENGTH_MAX: usize = 64 * 1024;
/// How long is waited after a connection could not be taken, as when the process has too many files open.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Serves until told to stop, then lets the requests in progress end.
pub(super) async fn serve(listener: TcpListener, router: Router, stopped: impl Future<Output = ()>) {
    let mut services = router.into_make_service_with_connect_info::<SocketAddr>();
    let (free, graceful) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), GracefulShutdown::new());
    tokio::pin!(stopped);
    loop {
        let next = Box::pin(accept(&listener, &free));
        let (stream, peer, place) = match futures::future::select(stopped.as_mut(), next).await {
            Either::Left(((), _)) => break,
            Either::Right((Ok(accepted), _)) => accepted,
            Either::Right((Err(cause), _)) => {
                // The client's own failures end its connection alone; ours last for a while.
                tracing::warn!("a connection could not be taken: {cause}");
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        let service = match services.call(peer).await {
            Ok(service) => service,
            Err(never) => match never {},
        };
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            converse(stream, service, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}

/// The requests of one connection, one after the other.
async fn converse<S>(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: S, watcher: Watcher)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_LENGTH_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(cause) = watcher.watch(connection).await {
        // What clients do wrong is no event of ours.
        tracing::debug!("a connection ended early: {cause}");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
        time::Instant,
    };

    use super::*;

    /// A connection to a service, without a net, and what lets it go on: without that it is shut down.
    fn connect() -> (DuplexStream, GracefulShutdown) {
        let (client, server) = tokio::io::duplex(HEAD_LENGTH_MAX * 4);
        let router = Router::new().route("/", get(async || "here"));
        let graceful = GracefulShutdown::new();
        tokio::spawn(converse(server, router, graceful.watcher()));
        (client, graceful)
    }

    async fn answer(mut client: DuplexStream) -> String {
        let mut text = Vec::new();
        client.read_to_end(&mut text).await.unwrap();
        String::from_utf8(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_never_ends_is_not_waited_for() {
        let (mut client, _running) = connect();
        let begun = Instant::now();
        client.write_all(b"GET / HTTP/1.1\r\nHost: yijia.example\r\nX-Slow: ").await.unwrap();
        assert!(!answer(client).await.contains("here"));
        assert_eq!(begun.elapsed().as_secs(), HEAD_LIMIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_head_is_answered_at_once() {
        let (mut client, _running) = connect();
        let begun = Instant::now();
        client.write_all(b"GET / HTTP/1.1\r\nHost: yijia.example\r\nConnection: close\r\n\r\n").await.unwrap();
        assert!(answer(client).await.ends_with("here"));
        assert!(begun.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_too_large_is_refused() {
        let (mut client, _running) = connect();
        let head = format!("GET / HTTP/1.1\r\nHost: yijia.example\r\nX-Large: {}\r\n\r\n", "x".repeat(HEAD_LENGTH_MAX * 2));
        client.write_all(head.as_bytes()).await.unwrap();
        let answered = answer(client).await;
        assert!(answered.starts_with("HTTP/1.1 431"), "{answered}");
    }
}
