//! Token profiles, roles, permissions and applications' keys, by the command line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::jose::jwk::thumbprint;

use super::fixture::{Folder, text};

const API: &str = "https://rbac.example.org";

#[test]
fn a_user_gets_permissions_directly_and_by_a_role() {
    let folder = Folder::new();
    let api = folder.json(&[
        "apis",
        "create",
        API,
        "--scope",
        "read:a",
        "--scope",
        "write:a",
        "--dialect",
        "rfc9068_profile_authz",
        "--rbac",
    ]);
    assert_eq!(
        (text(&api, "token_dialect"), &api["enforce_policies"]),
        ("rfc9068_profile_authz", &Value::Bool(true))
    );
    let users = folder.json(&["users", "list"]);
    let user = text(&users[0], "user_id").to_owned();
    let names = |held: &Value| -> Vec<String> {
        let held = held.as_array().unwrap().iter();
        held.map(|permission| text(permission, "permission_name").to_owned())
            .collect()
    };
    folder.ok(&["roles", "create", "Editor", "--description", "Writes"]);
    let write = ["--api", API, "--permissions", "write:a"];
    let role = folder.json(&[&["roles", "permissions", "add", "Editor"], &write[..]].concat());
    assert_eq!(names(&role["permissions"]), ["write:a"]);
    let roles = folder.json(&["users", "roles", "assign", &user, "--roles", "Editor"]);
    assert_eq!(roles[0]["id"], role["id"]);
    assert_eq!(folder.json(&["roles", "users", "Editor"])[0]["user_id"], user.as_str());
    let read = ["--api", API, "--permissions", "read:a"];
    let held = folder.json(&[&["users", "permissions", "add", &user], &read[..]].concat());
    assert_eq!(names(&held), ["read:a", "write:a"]);
    assert_eq!(
        (
            &held[0]["sources"][0]["source_type"],
            &held[1]["sources"][0]["source_name"]
        ),
        (&json!("DIRECT"), &json!("Editor"))
    );
    let fly = ["--api", API, "--permissions", "read:a,fly:a"];
    let unknown = folder.run(&[&["users", "permissions", "add", &user], &fly[..]].concat());
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("fly:a"),
        "{unknown:?}"
    );
    folder.ok(&[&["users", "permissions", "remove", &user], &read[..]].concat());
    assert_eq!(
        folder.json(&["users", "roles", "remove", &user, "--roles", "Editor"]),
        json!([])
    );
    assert_eq!(folder.json(&["users", "permissions", "list", &user]), json!([]));
    let renamed = folder.json(&["roles", "update", "Editor", "--name", "Writer"]);
    assert_eq!(
        (text(&renamed, "name"), text(&renamed, "description")),
        ("Writer", "Writes")
    );
    folder.ok(&["roles", "delete", "Writer", "--force"]);
    assert_eq!(folder.json(&["roles", "list"]), json!([]));
}

#[test]
fn an_application_is_made_with_a_key_and_then_has_no_secret() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048);
    let public = folder.write("public.pem", pem("PUBLIC KEY", &key.public_spki().unwrap()).as_bytes());
    let private = folder.write("private.pem", pem("PRIVATE KEY", &key.pkcs8()).as_bytes());
    let refused = folder.run(&["apps", "create", "Batch", "--key", &private]);
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("private key"),
        "{refused:?}"
    );
    let apps = folder.json(&["apps", "list"]);
    assert!(!apps.to_string().contains("Batch"), "nothing was made");

    let app = folder.json(&["apps", "create", "Batch", "--key", &public]);
    assert_eq!(
        (app.get("client_secret"), app.get("token_endpoint_auth_method")),
        (None, None)
    );
    let id = text(&app, "client_id");
    let shown = folder.ok(&["apps", "show", id, "--reveal-secret"]);
    let kid = thumbprint(&key.public().unwrap());
    assert!(
        shown.contains("private_key_jwt") && shown.contains(&kid) && shown.contains("EdDSA"),
        "{shown}"
    );
    assert!(!shown.contains("Client secret"), "{shown}");
    folder.ok(&["apps", "add-key", id, &public, "--kid", "second", "--name", "Spare"]);
    folder.ok(&["apps", "remove-key", id, &kid]);
    let rsa = SigningKey::generate(Algorithm::Rs384, RsaBits::Bits2048);
    let rsa = folder.write("rsa.pem", pem("PUBLIC KEY", &rsa.public_spki().unwrap()).as_bytes());
    let with_rsa = folder.ok(&["apps", "add-key", id, &rsa, "--alg", "rs384"]);
    assert!(with_rsa.contains("RS384"), "{with_rsa}");
    let secret = folder.run(&["apps", "add-key", id, &rsa, "--alg", "HS256"]);
    let said = String::from_utf8_lossy(&secret.stderr).into_owned();
    assert!(
        !secret.status.success() && said.contains("choose one of RS256, RS384, PS256, ES256, EdDSA"),
        "{said}"
    );
    let allowed = folder.ok(&["apps", "assertion-audience", id, "token-endpoint"]);
    assert!(allowed.contains("aud: the issuer or the token endpoint"), "{allowed}");
    folder.ok(&["apps", "assertion-audience", id, "issuer"]);
    let shown = folder.ok(&["apps", "show", id]);
    assert!(!shown.contains("aud:"), "{shown}");
    assert!(
        shown.contains("second") && shown.contains("Spare") && !shown.contains(&kid),
        "{shown}"
    );
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}
