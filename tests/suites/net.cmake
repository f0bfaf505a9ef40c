nodeagent_test(net_test LABEL unit DIR unit/agent/net LINKS net fake_acs ALONE curl_http_client_test.cpp)
