//! The table of a gate: path prefix, methods, what is wanted. The longest prefix decides, on segment borders; what no row
//! is for is denied.

use axum::http::Method;
use serde::Deserialize;

use tokenhouse_protocol::scope::is_scope_token;

use super::target::{Target, folded, is_below};

/// One row, as it is written: `[[rules]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The path, and every path below it: `/reports` is also `/reports/2026`, not `/reports-old`.
    pub path: String,
    /// The methods; every method if none is named. GET stands for HEAD as well.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Whether everybody may pass, with a token or without.
    #[serde(default)]
    pub public: bool,
    /// The token must allow all of these.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The token must allow one of these.
    #[serde(default)]
    pub any_scope: Vec<String>,
}

/// What a row wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access<'a> {
    /// Nothing.
    Public,
    /// A valid token that allows all of these scopes, and one of those if there are any.
    Token {
        /// All of these.
        all: &'a [String],
        /// One of these.
        any: &'a [String],
    },
}

/// The table, longest path first.
#[derive(Clone, Debug)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Checks the rows. Refuses one that could not match, that says two things, or that another one says already.
    pub fn new(mut rules: Vec<Rule>) -> Result<Self, String> {
        if rules.is_empty() {
            return Err("there are no [[rules]], so that every request would be denied".into());
        }
        for (number, rule) in rules.iter().enumerate() {
            rule.check()?;
            let is_same = |other: &&Rule| folded(&other.path) == folded(&rule.path) && other.shares_a_method(rule);
            if let Some(other) = rules[..number].iter().find(is_same) {
                return Err(format!(
                    "two rules are for the same method of {} and {}",
                    other.path, rule.path
                ));
            }
        }
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.path.len()));
        Ok(Self(rules))
    }

    /// What is wanted of a request; or why it is denied whoever asks.
    pub fn find(&self, method: &Method, target: &Target) -> Result<Access<'_>, &'static str> {
        let Some(nearest) = self.0.iter().find(|rule| target.is_below(&rule.path)) else {
            return Err("No rule of the gate is for this path.");
        };
        // An API to which case means nothing would serve /Admin as /admin: whoever asks by other rules than those is denied.
        let path = target.folded();
        let folded_nearest = self.0.iter().find(|rule| is_below(&path, &folded(&rule.path)));
        if folded_nearest.is_none_or(|other| other.path != nearest.path) {
            return Err("The path is another rule's in other letters: write it in the letters of that rule.");
        }
        // A row that names the method comes before one that means every method.
        let named = |method: &str| {
            let mut rows = self.0.iter().filter(|rule| rule.path == nearest.path);
            rows.find(|rule| rule.methods.iter().any(|named| named == method))
        };
        let every = || {
            let mut rows = self.0.iter().filter(|rule| rule.path == nearest.path);
            rows.find(|rule| rule.methods.is_empty())
        };
        let of_get = || (method == Method::HEAD).then(|| named("GET")).flatten();
        match named(method.as_str()).or_else(of_get).or_else(every) {
            Some(rule) if rule.public => Ok(Access::Public),
            Some(rule) => Ok(Access::Token {
                all: &rule.scopes,
                any: &rule.any_scope,
            }),
            None => Err("No rule of the gate is for this method of this path."),
        }
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        let path = &self.path;
        let refused = |why: &str| Err(format!("the rule for {path:?}: {why}"));
        match Target::read(path) {
            Ok(target) if target.path() == path => {}
            Ok(_) => return refused("write the path decoded and without a query"),
            Err(why) => return refused(why),
        }
        if path.len() > 1 && path.ends_with('/') {
            return refused("write the path without its last slash: what is below it is meant anyway");
        }
        let is_method = |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        if !self.methods.iter().all(is_method) {
            return refused("methods are words in capital letters, such as \"GET\"");
        }
        if !self
            .scopes
            .iter()
            .chain(&self.any_scope)
            .all(|scope| is_scope_token(scope))
        {
            return refused("a scope has no spaces, quotes or backslashes, ASCII only");
        }
        if self.public && !(self.scopes.is_empty() && self.any_scope.is_empty()) {
            return refused("it is public and wants scopes: it can be only one of them");
        }
        Ok(())
    }

    fn shares_a_method(&self, other: &Self) -> bool {
        let both_every = self.methods.is_empty() && other.methods.is_empty();
        both_every || self.methods.iter().any(|method| other.methods.contains(method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str, methods: &[&str], scope: &str) -> Rule {
        Rule {
            path: path.into(),
            methods: methods.iter().map(|&word| word.into()).collect(),
            public: scope.is_empty(),
            scopes: (!scope.is_empty()).then(|| scope.to_owned()).into_iter().collect(),
            any_scope: Vec::new(),
        }
    }

    fn table() -> Rules {
        Rules::new(vec![
            rule("/", &[], ""),
            rule("/admin", &[], "admin"),
            rule("/reports", &["GET"], "read"),
            rule("/reports", &["POST"], "write"),
            rule("/reports/open", &["GET"], ""),
        ])
        .unwrap()
    }

    /// The scope that is wanted, `""` for none, `"denied"`.
    fn wanted(method: &str, target: &str) -> String {
        let rules = table();
        match rules.find(&method.parse().unwrap(), &Target::read(target).unwrap()) {
            Ok(Access::Public) => String::new(),
            Ok(Access::Token { all, .. }) => all.join(" "),
            Err(_) => "denied".into(),
        }
    }

    #[test]
    fn the_longest_path_and_the_method_decide() {
        for (method, target, expected) in [
            ("GET", "/", ""),
            ("DELETE", "/other", ""),
            ("GET", "/admin", "admin"),
            ("GET", "/admin/a?b", "admin"),
            ("GET", "/%61dmin", "admin"),
            ("GET", "/administrators", ""),
            ("GET", "/reports/1", "read"),
            ("HEAD", "/reports/1", "read"),
            ("POST", "/reports", "write"),
            ("DELETE", "/reports/1", "denied"),
            ("GET", "/reports/open/1", ""),
            ("POST", "/reports/open", "denied"),
        ] {
            assert_eq!(wanted(method, target), expected, "{method} {target}");
        }
    }

    #[test]
    fn a_named_method_comes_before_every_method_however_they_are_ordered() {
        let rows = [
            rule("/a", &[], "any"),
            rule("/a", &["GET"], "get"),
            rule("/a", &["HEAD"], "head"),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let rules = Rules::new(order.map(|place| rows[place].clone()).to_vec()).unwrap();
            let target = Target::read("/a/b").unwrap();
            for (method, scope) in [("GET", "get"), ("HEAD", "head"), ("POST", "any")] {
                let found = rules.find(&method.parse().unwrap(), &target).unwrap();
                assert!(matches!(found, Access::Token { all, .. } if all == [scope]), "{method}");
            }
        }
    }

    #[test]
    fn a_path_in_other_letters_does_not_slip_past_its_rule() {
        for target in ["/Admin", "/ADMIN/a", "/admIn", "/adm%C4%B1n", "/REPORTS"] {
            assert_eq!(wanted("GET", target), "denied", "{target}");
        }
        assert_eq!(wanted("GET", "/reports/Open"), "denied");
        assert_eq!(wanted("GET", "/admin/A"), "admin");
    }

    #[test]
    fn a_path_without_a_rule_is_denied() {
        let rules = Rules::new(vec![rule("/a", &[], "")]).unwrap();
        assert!(rules.find(&Method::GET, &Target::read("/").unwrap()).is_err());
        assert!(rules.find(&Method::GET, &Target::read("/ab").unwrap()).is_err());
    }

    #[test]
    fn rows_that_cannot_be_meant_are_refused() {
        let public_with_scope = Rule {
            public: true,
            ..rule("/a", &[], "read")
        };
        for rows in [
            vec![],
            vec![rule("a", &[], "")],
            vec![rule("/a/", &[], "")],
            vec![rule("/a/../b", &[], "")],
            vec![rule("/a%20b", &[], "")],
            vec![rule("/a", &["get"], "")],
            vec![rule("/a", &[], "two words")],
            vec![public_with_scope],
            vec![rule("/a", &["GET", "POST"], ""), rule("/a", &["POST"], "read")],
            vec![rule("/a", &["GET"], ""), rule("/A", &["GET"], "read")],
        ] {
            assert!(Rules::new(rows.clone()).is_err(), "{rows:?}");
        }
    }
}
