//! JSON Schemas of the files that people write, for editors.
//!
//! They describe what the decoders take; a test keeps their keys equal. The decoders decide: a schema
//! cannot say that a destination must exist.

/// The schema of `xs-app.json`.
pub const XS_APP: &str = include_str!("schema/xs-app.schema.json");

/// The schema of `xs-tenants.json`.
pub const XS_TENANTS: &str = include_str!("schema/xs-tenants.schema.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::file::{
        answers, app, cors, destinations, issuer, login, replace, route, services, tenants, websockets,
    };
    use super::{XS_APP, XS_TENANTS};

    fn keys_at(schema: &str, pointer: &str) -> BTreeSet<String> {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let part = schema.pointer(pointer).expect(pointer);
        assert_eq!(part["additionalProperties"], false, "{pointer} takes other keys");
        assert_eq!(part["patternProperties"]["^_"], true, "{pointer} refuses remarks");
        part["properties"].as_object().unwrap().keys().filter(|key| *key != "$schema").cloned().collect()
    }

    #[test]
    fn the_schemas_know_the_keys_that_the_decoders_know() {
        const ROUTE: &str = "/properties/routes/items";
        let cases: [(&str, &str, &[&str]); 30] = [
            (XS_APP, "", app::KEYS),
            (XS_APP, ROUTE, route::KEYS),
            (XS_APP, "/properties/routes/items/properties/source/oneOf/1", route::SOURCE),
            (XS_APP, "/properties/routes/items/properties/scope/oneOf/1", route::SCOPE_METHODS),
            (XS_APP, "/properties/routes/items/properties/replace", replace::KEYS),
            (
                XS_APP,
                "/properties/routes/items/properties/replace/properties/services/additionalProperties",
                replace::QUERY,
            ),
            (XS_APP, "/properties/login", login::LOGIN),
            (XS_APP, "/properties/logout", login::LOGOUT),
            (XS_APP, "/properties/destinations/additionalProperties", login::DESTINATION),
            (XS_APP, "/properties/services/additionalProperties", services::SERVICE),
            (XS_APP, "/properties/responseHeaders/items", answers::RESPONSE_HEADER),
            (XS_APP, "/properties/compression", answers::COMPRESSION),
            (XS_APP, "/properties/whitelistService", app::ALLOWLIST),
            (XS_APP, "/properties/websockets", websockets::WEBSOCKETS),
            (XS_APP, "/properties/cors/items", cors::KEYS),
            (XS_TENANTS, "", tenants::KEYS),
            (XS_TENANTS, "/properties/hosts/items/oneOf/1", tenants::HOST),
            (XS_TENANTS, "/properties/path", tenants::PATH),
            (XS_TENANTS, "/properties/tenancy", tenants::TENANCY),
            (XS_TENANTS, "/properties/defaults", tenants::DEFAULTS),
            (XS_TENANTS, "/properties/resolver", tenants::RESOLVER),
            (XS_TENANTS, "/properties/subscriptions", tenants::SUBSCRIPTIONS),
            (XS_TENANTS, "/properties/subscriptions/properties/store", tenants::STORE),
            (XS_TENANTS, "/properties/headers", tenants::HEADERS),
            (XS_TENANTS, "/properties/websockets", websockets::LIMITS),
            (XS_TENANTS, "/$defs/issuer", issuer::KEYS),
            (XS_TENANTS, "/$defs/limits", tenants::LIMITS),
            (XS_TENANTS, "/$defs/destination", &destinations::KEYS[1..]),
            (XS_TENANTS, "/$defs/tenant", tenants::TENANT),
            (XS_TENANTS, "/$defs/tenant/properties/basic", tenants::BASIC),
        ];
        for (schema, pointer, known) in cases {
            let known: BTreeSet<String> = known.iter().map(ToString::to_string).collect();
            assert_eq!(keys_at(schema, pointer), known, "{pointer}");
        }
    }

    #[test]
    fn the_schema_knows_every_authentication_type() {
        let schema: Value = serde_json::from_str(XS_APP).unwrap();
        let words = &schema["properties"]["routes"]["items"]["properties"]["authenticationType"]["enum"];
        let known: Vec<&str> = route::AUTHENTICATION.iter().map(|(word, _)| *word).collect();
        assert_eq!(*words, Value::from(known));
    }
}
