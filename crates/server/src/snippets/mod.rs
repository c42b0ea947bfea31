//! An HTTP request as a program, in the language of whoever reads it: one small file per language.
//!
//! Every program keeps one contract: it is complete; it prints the HTTP status first and the body after it; a 401 or
//! 403 is an answer like any other; no answer is an error that it shows, and its exit code is not 0; it checks
//! certificates, against a local authority's file where the request names one; the languages themselves need nothing
//! but what comes with them; where a page would hold a secret it warns. `tests/snippets` executes each.

pub(crate) use self::literal::shell;
pub use self::quickstart::{Application, Field, Quickstart, QuickstartError, Values};
pub use self::request::{Body, Method, Request, RequestError};

mod axios;
mod body;
mod collection;
mod csharp;
mod curl;
mod fetch;
mod go;
mod httpie;
mod java;
mod javascript;
mod jquery;
mod kotlin;
mod literal;
mod node;
mod objc;
mod php;
mod python;
mod quickstart;
mod request;
mod requests;
mod ruby;
mod rust;
mod swift;
#[cfg(test)]
mod tests;
mod unirest;

/// What stands in a program where a secret belongs that is not shown unasked.
pub const MASKED_SECRET: &str = "YOUR_CLIENT_SECRET";
/// The same of a password.
pub const MASKED_PASSWORD: &str = "YOUR_PASSWORD";
/// The same of a client assertion, which is good once and so has to be made anew.
pub const MASKED_ASSERTION: &str = "YOUR_SIGNED_CLIENT_ASSERTION";
/// The same of an access token that is still to be issued.
pub const MASKED_TOKEN: &str = "YOUR_ACCESS_TOKEN";

/// A language, or a library of one, that requests are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// cURL, in a POSIX shell.
    Curl,
    /// C# with `HttpClient`.
    CSharp,
    /// Go with `net/http`.
    Go,
    /// Java with `java.net.http`.
    Java,
    /// A page with jQuery.
    JQuery,
    /// Node.js with its own `fetch`.
    Node,
    /// Objective-C with `NSURLSession`.
    ObjC,
    /// PHP with its cURL extension.
    Php,
    /// Python with `http.client`.
    Python,
    /// Ruby with `Net::HTTP`.
    Ruby,
    /// Swift with `URLSession`.
    Swift,
    /// Rust with reqwest.
    Rust,
    /// Kotlin with `java.net.http`.
    Kotlin,
    /// Python with Requests.
    Requests,
    /// A page with the browser's `fetch`.
    Fetch,
    /// Node.js with axios.
    Axios,
    /// HTTPie, in a POSIX shell.
    Httpie,
    /// Java with Unirest.
    Unirest,
}

/// What is said of a language before a program is written in it.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// How it is named on the command line and in data: `csharp`.
    pub id: &'static str,
    /// How people call it: "C# (HttpClient)".
    pub name: &'static str,
    /// The file that a program is saved as: `Program.cs`.
    pub file_name: &'static str,
    /// What must be there to run it, beside the language itself; empty where that is all.
    pub needs: &'static str,
}

impl Language {
    /// All of them: the quickstart's eleven in its order, then the others.
    pub const ALL: [Self; 18] = [
        Self::Curl,
        Self::CSharp,
        Self::Go,
        Self::Java,
        Self::JQuery,
        Self::Node,
        Self::ObjC,
        Self::Php,
        Self::Python,
        Self::Ruby,
        Self::Swift,
        Self::Rust,
        Self::Kotlin,
        Self::Requests,
        Self::Fetch,
        Self::Axios,
        Self::Httpie,
        Self::Unirest,
    ];

    /// The language named so on the command line, if it is one.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.about().id == id)
    }

    /// What is said of it.
    pub fn about(self) -> About {
        let about = |id, name, file_name, needs| About {
            id,
            name,
            file_name,
            needs,
        };
        match self {
            Self::Curl => about("curl", "cURL", "request.sh", ""),
            Self::CSharp => about("csharp", "C# (HttpClient)", "Program.cs", ""),
            Self::Go => about("go", "Go", "request.go", ""),
            Self::Java => about("java", "Java (java.net.http)", "Request.java", "Java 17"),
            Self::JQuery => about("jquery", "jQuery", "request.html", "jQuery 4, from its own address"),
            Self::Node => about("node", "Node.js (fetch)", "request.mjs", "Node.js 18"),
            Self::ObjC => about("objc", "Objective-C (NSURLSession)", "request.m", ""),
            Self::Php => about("php", "PHP (cURL)", "request.php", "the extension curl"),
            Self::Python => about("python", "Python (http.client)", "request.py", ""),
            Self::Ruby => about("ruby", "Ruby (Net::HTTP)", "request.rb", ""),
            Self::Swift => about("swift", "Swift (URLSession)", "main.swift", "Swift 5.7"),
            Self::Rust => about("rust", "Rust (reqwest)", "main.rs", "reqwest, feature blocking"),
            Self::Kotlin => about("kotlin", "Kotlin (java.net.http)", "request.kt", "Java 11"),
            Self::Requests => about("requests", "Python (Requests)", "request.py", "requests"),
            Self::Fetch => about("fetch", "JavaScript (fetch, in a page)", "request.html", ""),
            Self::Axios => about("axios", "Node.js (axios)", "request.mjs", "axios"),
            Self::Httpie => about("httpie", "HTTPie", "request.sh", "HTTPie 3"),
            Self::Unirest => about(
                "unirest",
                "Java (Unirest)",
                "Request.java",
                "unirest-java-core 4, Java 17",
            ),
        }
    }

    /// The request as a whole program, ending in a line feed.
    pub fn render(self, request: &Request) -> String {
        match self {
            Self::Curl => curl::render(request),
            Self::CSharp => csharp::render(request),
            Self::Go => go::render(request),
            Self::Java => java::render(request),
            Self::JQuery => jquery::render(request),
            Self::Node => node::render(request),
            Self::ObjC => objc::render(request),
            Self::Php => php::render(request),
            Self::Python => python::render(request),
            Self::Ruby => ruby::render(request),
            Self::Swift => swift::render(request),
            Self::Rust => rust::render(request),
            Self::Kotlin => kotlin::render(request),
            Self::Requests => requests::render(request),
            Self::Fetch => fetch::render(request),
            Self::Axios => axios::render(request),
            Self::Httpie => httpie::render(request),
            Self::Unirest => unirest::render(request),
        }
    }
}

/// The quickstart's five requests as a Postman collection (schema v2.1), its secrets as empty variables.
///
/// Fails where a value cannot stand in a request, as [`Quickstart::request`] does.
pub fn postman_collection(values: &Values) -> Result<String, QuickstartError> {
    collection::postman(values)
}

/// The quickstart's five requests as an `.http` file for editors, its secrets as empty variables.
///
/// Fails as [`postman_collection`] does.
pub fn http_file(values: &Values) -> Result<String, QuickstartError> {
    collection::http_file(values)
}
