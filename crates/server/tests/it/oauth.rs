//! The OAuth door, a folder that mirrors its routes.

mod access_token;
mod metadata;
mod token_client_credentials;
mod token_errors;
mod token_password;
mod token_transport;
mod userinfo;
