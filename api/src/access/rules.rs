//! The table of routes and who may use them.

use std::{collections::BTreeSet, fmt};

use axum::http::Method;
use domain::access::{Action, Role};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, signed in or not.
    Public,
    /// Everybody who is signed in, or shows a bearer key.
    SignedIn,
    /// Everybody who is signed in; never by a bearer key.
    Session,
    /// Whoever holds a role that may take the action.
    Action(Action),
}

impl Access {
    /// The roles that may use the route; none when it does not depend on a role.
    #[must_use]
    pub fn roles(self) -> Option<&'static [Role]> {
        match self {
            Self::Public | Self::SignedIn | Self::Session => None,
            Self::Action(action) => Some(action.roles()),
        }
    }

    /// Whether a bearer key can use the route, if it was given the action.
    #[must_use]
    pub fn is_by_key(self) -> bool {
        match self {
            Self::Public | Self::SignedIn => true,
            Self::Session => false,
            Self::Action(action) => action.is_by_key(),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::SignedIn => f.write_str("signed_in"),
            Self::Session => f.write_str("session"),
            Self::Action(action) => write!(f, "{action}"),
        }
    }
}

/// One route with its access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Method.
    pub method: Method,
    /// Path template, such as `/api/v1/orders/{order_id}`.
    pub path: String,
    /// Who may use it.
    pub access: Access,
    /// Whether the description of the API names it; pages are not in it.
    pub described: bool,
}

impl Rule {
    /// Method and path, as faults and the matrix write them.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// All routes with their access.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

/// What the table says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Who may use the route.
    Access(Access),
    /// The path is known with other methods only.
    OtherMethods,
    /// The path is not in the table.
    Nothing,
}

impl Rules {
    /// Adds a rule.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// All rules, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// Looks a route up by its template. Whoever may read a thing may ask for its head alone.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Found {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let mut of_path = self.0.iter().filter(|rule| rule.path == path).peekable();
        if of_path.peek().is_none() {
            return Found::Nothing;
        }
        of_path.find(|rule| rule.method == method).map_or(Found::OtherMethods, |rule| Found::Access(rule.access))
    }

    /// Names of the described routes.
    pub(crate) fn described(&self) -> BTreeSet<String> {
        self.0.iter().filter(|rule| rule.described).map(Rule::name).collect()
    }
}

/// The access matrix as text: one line per route with its action and the roles that may use it; `key` where a bearer
/// key can be given the action. A snapshot keeps it reviewed.
#[must_use]
pub fn matrix(rules: &Rules) -> String {
    let mut lines: Vec<_> = rules.iter().map(|rule| (rule.path.as_str(), rule.method.as_str(), line(rule))).collect();
    lines.sort_unstable();
    lines.into_iter().map(|(_, _, line)| line + "\n").collect()
}

fn line(rule: &Rule) -> String {
    let roles = match rule.access.roles() {
        Some(roles) => roles.iter().map(|role| <&'static str>::from(*role)).collect::<Vec<_>>().join(" "),
        None => "*".to_owned(),
    };
    let by_key = if rule.access != Access::Public && rule.access.is_by_key() { ", key" } else { "" };
    format!("{} [{}{by_key}]: {roles}", rule.name(), rule.access)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let rule = |method: Method, path: &str, access| Rule { method, path: path.to_owned(), access, described: true };
        let mut rules = Rules::default();
        rules.add(rule(Method::POST, "/orders", Access::Action(Action::PlaceOrder)));
        rules.add(rule(Method::GET, "/orders", Access::SignedIn));
        rules.add(rule(Method::GET, "/", Access::Public));
        rules
    }

    #[test]
    fn the_head_of_a_thing_is_read_like_the_thing() {
        assert_eq!(rules().find(&Method::HEAD, "/orders"), Found::Access(Access::SignedIn));
        assert_eq!(rules().find(&Method::DELETE, "/orders"), Found::OtherMethods);
        assert_eq!(rules().find(&Method::GET, "/nothing"), Found::Nothing);
    }

    #[test]
    fn the_matrix_has_one_line_per_route_in_order_of_paths() {
        let wanted = "GET / [public]: *\nGET /orders [signed_in, key]: *\nPOST /orders [place_order, key]: family_member resident community_worker\n";
        assert_eq!(matrix(&rules()), wanted);
    }
}
