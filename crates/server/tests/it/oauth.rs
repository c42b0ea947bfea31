//! The OAuth door, a folder that mirrors its routes.

mod access_token;
mod metadata;
mod permissions;
mod private_key_jwt;
mod token_client_credentials;
mod token_errors;
mod token_password;
mod token_profiles;
mod token_quota;
mod token_quota_client;
mod token_transport;
mod userinfo;
