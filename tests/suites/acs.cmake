# The control plane's side of the websockets, shared by the connection and the session tests.
add_library(fake_acs STATIC fakes/fake_acs.cpp)
target_link_libraries(fake_acs PUBLIC nodeagent_flags base OpenSSL::SSL OpenSSL::Crypto)
target_precompile_headers(fake_acs REUSE_FROM nodeagent_pch)

nodeagent_test(ws_test LABEL unit DIR unit/agent/net/ws LINKS ws fake_acs)
nodeagent_test(acs_test LABEL unit DIR unit/agent/ecs/acs LINKS ecs fake_acs)
