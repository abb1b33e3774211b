//! The life of a request, from its head to the last byte that is written about it.
//!
//! [`handle`] names the endpoint and turns whatever comes of it into a response with the headers
//! every response carries. One module for each family of endpoints; what several of them need
//! (who is calling, the body, the limits) stands in [`exchange`], [`entry`] and [`identity`].

mod agents;
mod answer;
mod backlog;
mod claim;
mod classify;
mod dead_letters;
mod dispatch;
mod drain;
mod entry;
mod exchange;
mod filing;
mod identity;
mod instance;
mod key_set;
mod maintenance;
mod probes;
mod question;
mod records;
mod relay;
mod replay;
mod settlement;
mod triage;

pub use answer::Answer;
pub use instance::Instance;
pub use relay::Relay;

use std::rc::Rc;

use answer::Outcome;
use exchange::Exchange;

use crate::config::Flag;
use crate::ports::{Incoming, Platform, TransportFault};
use crate::problem::Problem;
use crate::route::{self, Endpoint, RouteFault};

/// Answers one request. Never fails: every fault becomes a problem document.
pub async fn handle<P: Platform, B: Incoming>(
    instance: &Rc<Instance<P>>,
    request: http::Request<B>,
) -> Answer<P> {
    let mut exchange = Exchange::open(Rc::clone(instance), request);
    let outcome = dispatch(&mut exchange).await.unwrap_or_else(Outcome::Problem);
    answer::finish(&exchange, outcome)
}

/// The answer to a request that is none: what the host took in cannot be read as HTTP.
pub fn unreadable<P: Platform>(instance: &Rc<Instance<P>>) -> http::Response<Vec<u8>> {
    let exchange = Exchange::open(Rc::clone(instance), http::Request::new(NoBody));
    let problem =
        Problem::SchemaValidation(vec!["request: its address or headers are not valid HTTP".into()]);
    match answer::finish(&exchange, Outcome::Problem(problem)) {
        Answer::Full(response) => response,
        Answer::Stream(head, _) => head.map(|()| Vec::new()),
    }
}

/// The body of a request that has none.
struct NoBody;

impl Incoming for NoBody {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportFault> {
        Ok(None)
    }
}

async fn dispatch<P: Platform, B: Incoming>(exchange: &mut Exchange<P, B>) -> Result<Outcome<P>, Problem> {
    let endpoint = route::resolve(exchange.method(), exchange.path()).map_err(|fault| match fault {
        RouteFault::NotFound => Problem::NotFound,
        RouteFault::MethodNotAllowed(allow) => Problem::MethodNotAllowed(allow),
    })?;
    match endpoint {
        Endpoint::Health => return Ok(probes::health()),
        Endpoint::OpenApi => return Ok(probes::openapi()),
        Endpoint::Page(part) => return Ok(Outcome::Page(part)),
        Endpoint::Ready => return probes::ready(exchange).await,
        // Whatever the configuration: a binding whose OPTIONS fails is unsubscribed for good.
        Endpoint::MaintenanceOptions | Endpoint::Preflight => return Ok(Outcome::Empty),
        _ => {}
    }
    let config = exchange.instance.config()?;
    match endpoint {
        Endpoint::Triage => triage::triage(exchange, &config).await,
        Endpoint::Classify => classify::classify(exchange, &config).await,
        Endpoint::ClassifyBatch if config.flags.on(Flag::BatchProcessing) => {
            classify::batch(exchange, &config).await
        }
        Endpoint::Agents => agents::list(exchange, &config).await,
        Endpoint::BreakerReset(agent) => agents::reset(exchange, &config, &agent).await,
        Endpoint::DeadLetters => dead_letters::list(exchange, &config).await,
        Endpoint::Replay(id) => replay::replay(exchange, &config, &id).await,
        Endpoint::Maintenance => maintenance::run(exchange, &config).await,
        Endpoint::StudentRecords(student) => records::export(exchange, &config, &student).await,
        Endpoint::StudentErasure(student) => records::erase(exchange, &config, &student).await,
        _ => Err(Problem::NotFound),
    }
}
