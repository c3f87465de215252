//! Random pairs of realms: nothing of one opens at another (SECURITY class 21).

use std::sync::Arc;

use proptest::prelude::*;
use vestibule::session::{Flow, FlowRefused, Realm, ReturnPath, StoreSettings};
use vestibule::tenant::TenantKey;

use super::{Bench, Browser, login};

fn any_realm() -> impl Strategy<Value = Arc<Realm>> {
    (proptest::option::of("[a-z0-9-]{1,6}"), "[a-c:/.]{0,4}", "[a-c!|]{0,4}").prop_map(
        |(key, issuer, client)| {
            Arc::new(Realm::of(key.and_then(|key| TenantKey::parse(&key)), &issuer, &client))
        },
    )
}

fn any_store() -> impl Strategy<Value = StoreSettings> {
    prop_oneof![Just(StoreSettings::Memory), Just(StoreSettings::Cookie)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn nothing_of_one_opens_at_another(one in any_realm(), other in any_realm(), store in any_store()) {
        prop_assume!(one != other);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { apart(&Bench::new_in(store), &one, &other).await });
    }
}

async fn apart(bench: &Bench, one: &Arc<Realm>, other: &Arc<Realm>) {
    let (opened, mut browser) = bench.begin(login(one, "token")).await;
    let mut flow_browser = Browser::default();
    let flow = Flow::new(ReturnPath::root("/"), None, super::NOW).unwrap();
    let (policy, scope) = (&bench.policy, &bench.scope);
    let headers = flow_browser.headers();
    flow_browser.obey(&flow.seal(&bench.sessions, one, policy, scope, &headers));
    let open = |realm| Flow::open(&bench.sessions, realm, policy, &flow_browser.headers(), &flow.state);

    assert!(bench.peek(other, &browser.headers()).await.is_none(), "the cookie");
    assert_eq!(open(other).err(), Some(FlowRefused::Foreign), "the login under way");
    bench.sessions.end_matching(other, Some("issuer-session-1"), Some("ann")).await.unwrap();
    bench.sessions.end_matching(other, None, Some("ann")).await.unwrap();
    if one.tenant() != other.tenant() {
        bench.sessions.end_tenant(other.tenant()).await.unwrap();
    }
    assert!(bench.sessions.use_state(other, &flow.state).await);
    assert!(bench.sessions.use_state(one, &flow.state).await, "a state used elsewhere is not used here");
    assert!(bench.visit(one, &mut browser).await.is_some(), "a logout elsewhere is none here");
    assert!(open(one).is_ok());
    assert!(bench.sessions.is_open(&opened, policy).await);
}
