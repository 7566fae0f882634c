//! Routes, registered together with who may use them.

use axum::{http::Method, routing::MethodRouter};
use utoipa::openapi::{OpenApi, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::{Parts, StartError};
use crate::{
    access::{Access, Found, Rule, Rules},
    state::AppState,
};

/// Routes with their rules. A route cannot be registered without one.
#[derive(Debug, Default)]
pub struct RouteTable {
    router: OpenApiRouter<AppState>,
    rules: Rules,
    doubled: Vec<String>,
}

impl RouteTable {
    /// An empty table whose description begins with the given one.
    pub(super) fn new(document: OpenApi) -> Self {
        Self { router: OpenApiRouter::with_openapi(document), ..Self::default() }
    }

    /// Registers a handler of the API: `table.route(Access::Action(Action::PlaceOrder), routes!(place_order))`.
    #[must_use]
    pub fn route(mut self, access: Access, routes: UtoipaMethodRouter<AppState>) -> Self {
        let named: Vec<_> = routes.1.paths.iter().flat_map(|(path, item)| methods(item).map(|method| (method, path.clone()))).collect();
        let mut fresh = true;
        for (method, path) in named {
            fresh &= self.note(Rule { method, path, access, described: true });
        }
        if fresh {
            self.router = self.router.routes(routes);
        }
        self
    }

    /// Registers a page, or anything else that the description of the API does not name.
    #[must_use]
    pub fn page(mut self, method: Method, path: &str, access: Access, handler: MethodRouter<AppState>) -> Self {
        if self.note(Rule { method, path: path.to_owned(), access, described: false }) {
            self.router = self.router.route(path, handler);
        }
        self
    }

    /// Puts another table below a path.
    #[must_use]
    pub fn nest(mut self, prefix: &str, other: Self) -> Self {
        self.router = self.router.nest(prefix, other.router);
        self.doubled.extend(other.doubled);
        for rule in other.rules.iter() {
            let path = if rule.path == "/" { prefix.to_owned() } else { format!("{prefix}{}", rule.path) };
            self.note(Rule { path, ..rule.clone() });
        }
        self
    }

    /// Puts another table beside this one.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.doubled.extend(other.doubled);
        for rule in other.rules.iter() {
            self.note(rule.clone());
        }
        self
    }

    /// Notes a rule; false when the route has one already.
    fn note(&mut self, rule: Rule) -> bool {
        let fresh = !matches!(self.rules.find(&rule.method, &rule.path), Found::Access(_));
        if fresh {
            self.rules.add(rule);
        } else {
            self.doubled.push(rule.name());
        }
        fresh
    }

    pub(super) fn finish(self) -> Result<Parts, StartError> {
        if !self.doubled.is_empty() {
            return Err(StartError::Doubled(self.doubled.join(", ")));
        }
        let (router, openapi) = self.router.split_for_parts();
        let (described, ruled) = (described(&openapi), self.rules.described());
        let only = |these: &std::collections::BTreeSet<String>, those| these.difference(those).cloned().collect::<Vec<_>>().join(", ");
        if !described.is_subset(&ruled) {
            return Err(StartError::RouteWithoutRule(only(&described, &ruled)));
        }
        if !ruled.is_subset(&described) {
            return Err(StartError::RuleWithoutRoute(only(&ruled, &described)));
        }
        Ok(Parts { router, openapi, rules: self.rules })
    }
}

fn described(openapi: &OpenApi) -> std::collections::BTreeSet<String> {
    let routes = openapi.paths.paths.iter().flat_map(|(path, item)| methods(item).map(move |method| format!("{method} {path}")));
    routes.collect()
}

fn methods(item: &PathItem) -> impl Iterator<Item = Method> {
    let known = [
        (Method::GET, item.get.is_some()),
        (Method::PUT, item.put.is_some()),
        (Method::POST, item.post.is_some()),
        (Method::DELETE, item.delete.is_some()),
        (Method::PATCH, item.patch.is_some()),
        (Method::OPTIONS, item.options.is_some()),
        (Method::HEAD, item.head.is_some()),
        (Method::TRACE, item.trace.is_some()),
    ];
    known.into_iter().filter(|(_, present)| *present).map(|(method, _)| method)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use utoipa::OpenApi as _;

    use super::*;

    #[derive(utoipa::OpenApi)]
    struct Empty;

    async fn nothing() {}

    #[test]
    fn a_route_that_is_registered_twice_does_not_start() {
        let table = RouteTable::new(Empty::openapi()).page(Method::GET, "/a", Access::Public, get(nothing));
        let table = table.page(Method::GET, "/a", Access::SignedIn, get(nothing));
        assert_eq!(table.finish().err(), Some(StartError::Doubled("GET /a".to_owned())));
    }

    #[test]
    fn a_described_route_without_a_rule_and_a_rule_without_a_route_do_not_start() {
        let mut table = RouteTable::new(Empty::openapi());
        let path = PathItem::new(utoipa::openapi::HttpMethod::Get, utoipa::openapi::path::Operation::new());
        table.router.get_openapi_mut().paths.paths.insert("/b".to_owned(), path);
        assert_eq!(table.finish().err(), Some(StartError::RouteWithoutRule("GET /b".to_owned())));
        let mut table = RouteTable::new(Empty::openapi());
        table.rules.add(Rule { method: Method::GET, path: "/c".to_owned(), access: Access::Public, described: true });
        assert_eq!(table.finish().err(), Some(StartError::RuleWithoutRoute("GET /c".to_owned())));
    }
}
