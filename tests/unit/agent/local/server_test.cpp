// The server in this process, driven over loopback as clients drive it: HTTP for the API, websockets for the channels.
#include "agent/local/server.hpp"

#include <ctime>
#include <future>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "agent/base/json.hpp"
#include "agent/base/shard.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Answer {
    unsigned status = 0;
    std::string error_type;
    Json body;
};

/// A control plane with its own thread; what is called on it runs there.
class Plane {
  public:
    Plane(Store& store, ServerSettings settings) : state_(store, Identity{}) {
        EXPECT_TRUE(state_.load());
        server_.emplace(shard_.executor(), state_, clock_, std::move(settings));
        EXPECT_TRUE(server_->start());
        shard_.start();
    }
    ~Plane() {
        std::promise<void> stopped;
        asio::co_spawn(shard_.executor(), server_->stop(), [&](const std::exception_ptr&) { stopped.set_value(); });
        stopped.get_future().wait();
    }
    [[nodiscard]] unsigned short port() const { return server_->port(); }

  private:
    SystemClock clock_;
    State state_;
    Shard shard_{"plane"};
    std::optional<Server> server_;
};

class LocalServer : public testing::Test {
  protected:
    void start(ServerSettings settings = {}) {
        plane.reset();
        plane = std::make_unique<Plane>(*store, std::move(settings));
    }

    tcp::endpoint endpoint() const { return {asio::ip::address_v4::loopback(), plane->port()}; }

    Answer exchange(http::request<http::string_body> request) {
        const http::response<http::string_body> response = respond_to(std::move(request));
        Answer answer;
        answer.status = response.result_int();
        answer.error_type = std::string(response["x-amzn-ErrorType"]);
        answer.body = Json::parse(response.body(), nullptr, false);
        return answer;
    }
    std::string exchange_text(http::request<http::string_body> request) {
        return respond_to(std::move(request)).body();
    }
    http::response<http::string_body> respond_to(http::request<http::string_body> request) {
        beast::tcp_stream stream(io);
        stream.connect(endpoint());
        request.set(http::field::host, "127.0.0.1:" + std::to_string(plane->port()));
        request.prepare_payload();
        http::write(stream, request);
        beast::flat_buffer buffer;
        http::response<http::string_body> response;
        http::read(stream, buffer, response);
        return response;
    }
    Answer call(const std::string& operation, const Json& body) { return call_text(operation, body.dump()); }
    Answer call_text(const std::string& operation, const std::string& body) {
        http::request<http::string_body> request{http::verb::post, "/", 11};
        request.set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113." + operation);
        request.set(http::field::content_type, "application/x-amz-json-1.1");
        request.body() = body;
        return exchange(std::move(request));
    }
    Answer get(const std::string& target) { return exchange({http::verb::get, target, 11}); }

    std::string register_instance(const Json& extra = Json::object()) {
        Json request = Json::parse(R"({"cluster":"c","clientToken":"t1","attributes":[{"name":"stack","value":"prod"},
            {"name":"com.amazonaws.ecs.capability.docker-remote-api.1.18"}],"instanceIdentityDocument":"",
            "totalResources":[{"name":"CPU","type":"INTEGER","integerValue":2048},{"name":"MEMORY","type":"INTEGER","integerValue":4000},
            {"name":"PORTS","type":"STRINGSET","stringSetValue":["22"]},{"name":"PORTS_UDP","type":"STRINGSET","stringSetValue":[]}]})");
        request.update(extra);
        return call("RegisterContainerInstance", request).body["containerInstance"]["containerInstanceArn"];
    }
    void prepare() {
        start();
        call("CreateCluster", {{"clusterName", "c"}});
        instance = register_instance();
        call("RegisterTaskDefinition",
             Json::parse(R"({"family":"web","containerDefinitions":[{"name":"web","image":"i","cpu":100,
            "memory":64,"portMappings":[{"containerPort":80}]}]})"));
    }

    using Socket = beast::websocket::stream<beast::tcp_stream>;
    std::string target_of(const std::string& channel) const {
        const std::string name = channel == "acs" ? "containerInstanceArn=" : "containerInstance=";
        return "/" + channel + "/ws?agentVersion=1.2.3&agentHash=abc&protocolVersion=2&sendCredentials=true&" + name +
               percent_encode(instance);
    }
    std::unique_ptr<Socket> connect(const std::string& channel) {
        auto socket = std::make_unique<Socket>(io);
        beast::get_lowest_layer(*socket).connect(endpoint());
        socket->handshake("127.0.0.1", target_of(channel));
        return socket;
    }
    static Json read(Socket& socket) {
        beast::flat_buffer buffer;
        socket.read(buffer);
        return Json::parse(beast::buffers_to_string(buffer.data()));
    }
    static Json read_type(Socket& socket, const std::string& type) {
        while (true) {
            Json frame = read(socket);
            if (frame["type"] == type) return frame;
        }
    }
    static void write(Socket& socket, const std::string& type, const Json& message) {
        socket.write(asio::buffer(Json{{"type", type}, {"message", message}}.dump()));
    }

    asio::io_context io;
    std::unique_ptr<Store> store = std::move(*Store::open(":memory:"));
    std::unique_ptr<Plane> plane;
    std::string instance;
};

TEST_F(LocalServer, AnswersErrorsInTheShapeOfTheService) {
    start();
    const Answer missing = call("ListTasks", {{"cluster", "nope"}});
    EXPECT_EQ(missing.status, 400U);
    EXPECT_EQ(missing.error_type, "ClusterNotFoundException");
    EXPECT_EQ(missing.body, Json::parse(R"({"__type":"ClusterNotFoundException","message":"Cluster not found."})"));
    EXPECT_EQ(call("CreateService", Json::object()).error_type, "UnknownOperationException");
    EXPECT_EQ(call_text("ListTasks", "{").error_type, "SerializationException");
    const Answer wrong = call("RunTask", {{"taskDefinition", "x"}, {"count", "many"}});
    EXPECT_EQ(wrong.error_type, "SerializationException");
    EXPECT_THAT(wrong.body["message"].get<std::string>(), HasSubstr("count: expected an integer"));
    EXPECT_EQ(call("StopTask", Json::object()).error_type, "InvalidParameterException");
    EXPECT_EQ(get("/nothing").status, 404U);
}

TEST_F(LocalServer, TakesATaskFromRunTaskToStoppedWithItsAgent) {
    prepare();
    auto acs = connect("acs");
    EXPECT_THAT(read_type(*acs, "TaskManifestMessage")["message"]["tasks"], IsEmpty());

    const Answer run = call("RunTask", Json::parse(R"({"cluster":"c","taskDefinition":"web","startedBy":"me"})"));
    ASSERT_THAT(run.body["tasks"], SizeIs(1)) << run.body;
    const std::string task = run.body["tasks"][0]["taskArn"];
    EXPECT_EQ(run.body["tasks"][0]["lastStatus"], "PENDING");
    const Json payload = read_type(*acs, "PayloadMessage")["message"];
    EXPECT_EQ(payload["tasks"][0]["arn"], task);
    EXPECT_EQ(payload["containerInstanceArn"], instance);
    write(*acs, "AckRequest", {{"messageId", payload["messageId"]}});
    const Answer ack =
        call("SubmitTaskStateChange",
             Json{{"cluster", "c"},
                  {"task", task},
                  {"status", "RUNNING"},
                  {"reason", ""},
                  {"containers",
                   Json::parse(R"([{"containerName":"web","status":"RUNNING","runtimeId":"d1","networkBindings":[
            {"bindIP":"0.0.0.0","containerPort":80,"hostPort":32768,"protocol":"tcp"}]}])")}});
    EXPECT_TRUE(ack.body.contains("acknowledgment"));
    const Json running = call("DescribeTasks", {{"cluster", "c"}, {"tasks", {task}}}).body["tasks"][0];
    EXPECT_EQ(running["lastStatus"], "RUNNING");
    EXPECT_EQ(running["connectivity"], "CONNECTED");
    EXPECT_EQ(running["containers"][0]["networkBindings"][0]["hostPort"], 32768);
    EXPECT_TRUE(running["startedAt"].is_number());

    const Json described = call("DescribeContainerInstances", {{"cluster", "c"}, {"containerInstances", {instance}}})
                               .body["containerInstances"][0];
    EXPECT_EQ(described["agentConnected"], true);
    EXPECT_EQ(described["runningTasksCount"], 1);
    EXPECT_EQ(described["versionInfo"]["agentVersion"], "1.2.3");
    EXPECT_EQ(described["remainingResources"][0]["integerValue"], 1948);
    EXPECT_EQ(call("DeregisterContainerInstance", {{"cluster", "c"}, {"containerInstance", instance}}).body["message"],
              "Found running tasks on the instance.");

    const Json stopping = call("StopTask", {{"cluster", "c"}, {"task", task}, {"reason", "done"}}).body["task"];
    EXPECT_EQ(stopping["desiredStatus"], "STOPPED");
    EXPECT_EQ(read_type(*acs, "PayloadMessage")["message"]["tasks"][0]["desiredStatus"], "STOPPED");
    call("SubmitTaskStateChange",
         Json{{"cluster", "c"},
              {"task", task},
              {"status", "STOPPED"},
              {"reason", ""},
              {"containers", Json::parse(R"([{"containerName":"web","status":"STOPPED","exitCode":137}])")}});
    const Json stopped = call("DescribeTasks", {{"cluster", "c"}, {"tasks", {task}}}).body["tasks"][0];
    EXPECT_EQ(stopped["lastStatus"], "STOPPED");
    EXPECT_EQ(stopped["stopCode"], "UserInitiated");
    EXPECT_EQ(stopped["stoppedReason"], "done");
    EXPECT_EQ(stopped["containers"][0]["exitCode"], 137);
    const Json history = get("/_local/history?task=" + percent_encode(task)).body;
    ASSERT_THAT(history, SizeIs(2));
    EXPECT_EQ(history[0]["status"], "RUNNING");
    EXPECT_EQ(history[1]["containers"][0]["exitCode"], 137);
    EXPECT_THAT(call("ListTasks", {{"cluster", "c"}, {"desiredStatus", "STOPPED"}}).body["taskArns"],
                ElementsAre(task));
    EXPECT_THAT(call("ListTasks", {{"cluster", "c"}}).body["taskArns"], IsEmpty());
}

TEST_F(LocalServer, SendsAPayloadAgainUntilItIsAcknowledged) {
    ServerSettings settings;
    settings.acs.resend = std::chrono::milliseconds(10);
    start(settings);
    call("CreateCluster", {{"clusterName", "c"}});
    instance = register_instance();
    call("RegisterTaskDefinition",
         Json::parse(R"({"family":"web","containerDefinitions":[{"name":"web","image":"i","memory":64}]})"));
    auto acs = connect("acs");
    read_type(*acs, "TaskManifestMessage");
    call("RunTask", {{"cluster", "c"}, {"taskDefinition", "web"}});
    const Json first = read_type(*acs, "PayloadMessage");
    EXPECT_EQ(read_type(*acs, "PayloadMessage")["message"]["messageId"], first["message"]["messageId"]);
}

TEST_F(LocalServer, GoesOnAfterARestartWhereItWas) {
    prepare();
    std::string task;
    {
        auto acs = connect("acs");
        read_type(*acs, "TaskManifestMessage");
        task = call("RunTask", {{"cluster", "c"}, {"taskDefinition", "web"}}).body["tasks"][0]["taskArn"];
    }
    start();  // the same store, a new server
    EXPECT_EQ(register_instance({{"containerInstanceArn", instance}}), instance);
    auto acs = connect("acs");
    EXPECT_EQ(read_type(*acs, "PayloadMessage")["message"]["tasks"][0]["arn"], task);
    EXPECT_THAT(read_type(*acs, "TaskManifestMessage")["message"]["tasks"], SizeIs(1));
    EXPECT_EQ(call("DescribeTaskDefinition", {{"taskDefinition", "web"}}).body["taskDefinition"]["revision"], 1);
}

TEST_F(LocalServer, TellsWhyATaskCannotBePlaced) {
    start();
    call("CreateCluster", {{"clusterName", "c"}});
    call("RegisterTaskDefinition",
         Json::parse(R"({"family":"big","containerDefinitions":[{"name":"web","image":"i","memory":5000}]})"));
    EXPECT_EQ(call("RunTask", {{"cluster", "c"}, {"taskDefinition", "big"}}).body["message"],
              "No Container Instances were found in your cluster.");
    instance = register_instance();
    EXPECT_EQ(call("RunTask", {{"cluster", "c"}, {"taskDefinition", "big"}}).body["failures"][0]["reason"], "AGENT");
    auto acs = connect("acs");
    read_type(*acs, "TaskManifestMessage");
    const Json refused = call("RunTask", {{"cluster", "c"}, {"taskDefinition", "big"}}).body;
    EXPECT_THAT(refused["tasks"], IsEmpty());
    EXPECT_EQ(refused["failures"][0], (Json{{"arn", instance}, {"reason", "RESOURCE:MEMORY"}}));
    EXPECT_EQ(call("RunTask", {{"cluster", "c"}, {"taskDefinition", "none"}}).body["message"],
              "TaskDefinition not found.");
    EXPECT_EQ(call("StartTask", {{"cluster", "c"}, {"taskDefinition", "big"}, {"containerInstances", {"x"}}})
                  .body["failures"][0]["reason"],
              "MISSING");
}

TEST_F(LocalServer, RegistersOnceForOneTokenAndReturnsEveryAttribute) {
    prepare();
    EXPECT_EQ(register_instance(), instance);
    EXPECT_NE(register_instance({{"clientToken", "t2"}}), instance);
    const Json attributes =
        call("ListAttributes",
             {{"cluster", "c"}, {"targetType", "container-instance"}, {"attributeName", "ecs.availability-zone"}})
            .body["attributes"];
    ASSERT_THAT(attributes, SizeIs(2));
    EXPECT_EQ(attributes[0]["value"], "us-west-2a");
    const Answer unknown =
        call("RegisterContainerInstance",
             Json{{"cluster", "c"},
                  {"containerInstanceArn", instance + "x"},
                  {"totalResources",
                   Json::parse(R"([{"name":"CPU","integerValue":1},{"name":"MEMORY","integerValue":1}])")}});
    EXPECT_EQ(unknown.error_type, "ClientException");
    EXPECT_EQ(call("RegisterContainerInstance", {{"cluster", "c"}}).error_type, "InvalidParameterException");
}

TEST_F(LocalServer, RefusesTheChannelsOfInstancesThatAreGone) {
    prepare();
    call("DeregisterContainerInstance", {{"cluster", "c"}, {"containerInstance", instance}});
    Socket socket(io);
    beast::get_lowest_layer(socket).connect(endpoint());
    beast::websocket::response_type response;
    boost::system::error_code failed;
    socket.handshake(response, "127.0.0.1", target_of("acs"), failed);
    EXPECT_TRUE(failed);
    EXPECT_EQ(response.result_int(), 400U);
    EXPECT_THAT(std::string(response.body()), HasSubstr("InactiveInstanceException"));
}

TEST_F(LocalServer, AcknowledgesTelemetryAndShowsTheHealthItTells) {
    start();
    call("CreateCluster", {{"clusterName", "c"}});
    instance = register_instance(Json::parse(R"({"attributes":[{"name":"ecs.capability.container-health-check"},
        {"name":"com.amazonaws.ecs.capability.docker-remote-api.1.18"}]})"));
    call("RegisterTaskDefinition",
         Json::parse(R"({"family":"web","containerDefinitions":[{"name":"web","image":"i","memory":64,
        "healthCheck":{"command":["CMD","true"]}}]})"));
    auto acs = connect("acs");
    read_type(*acs, "TaskManifestMessage");
    const std::string task = call("RunTask", {{"cluster", "c"}, {"taskDefinition", "web"}}).body["tasks"][0]["taskArn"];
    auto tcs = connect("tcs");
    const Json health{
        {"type", "PublishHealthRequest"},
        {"message",
         {{"tasks", Json::array({Json{{"taskArn", task},
                                      {"containers", Json::array({Json{{"containerName", "web"},
                                                                       {"healthStatus", "HEALTHY"}}})}}})}}}};
    tcs->write(asio::buffer("Host: x\r\nX-Amz-Date: y\r\n\r\n" + health.dump()));
    EXPECT_EQ(read(*tcs)["type"], "AckPublishHealth");
    EXPECT_EQ(call("DescribeTasks", {{"cluster", "c"}, {"tasks", {task}}}).body["tasks"][0]["healthStatus"], "HEALTHY");
    EXPECT_EQ(get("/_local/telemetry?instance=" + percent_encode(instance)).body["messages"], 1);
}

TEST_F(LocalServer, AnswersCloudWatchFromWhatAgentsPublish) {
    prepare();
    auto acs = connect("acs");
    read_type(*acs, "TaskManifestMessage");
    const std::string task = call("RunTask", {{"cluster", "c"}, {"taskDefinition", "web"}, {"group", "service:shop"}})
                                 .body["tasks"][0]["taskArn"];
    auto tcs = connect("tcs");
    const Json metrics = Json::parse(R"([{"containerName":"web",
        "cpuStatsSet":{"max":4,"min":1,"sampleCount":20,"sum":50},
        "memoryStatsSet":{"max":32,"min":16,"sampleCount":20,"sum":480}}])");
    write(*tcs, "PublishMetricsRequest",
          {{"metadata", {{"messageId", "r1"}, {"fin", true}, {"idle", false}}},
           {"taskMetrics", Json::array({Json{{"taskArn", task}, {"containerMetrics", metrics}}})}});
    EXPECT_EQ(read_type(*tcs, "AckPublishMetric")["message"]["message"], "ok");

    const auto cloudwatch = [&](const std::string& form) {
        http::request<http::string_body> request{http::verb::post, "/", 11};
        request.set(http::field::content_type, "application/x-www-form-urlencoded; charset=utf-8");
        request.body() = "Version=2010-08-01&" + form;
        return exchange_text(std::move(request));
    };
    const auto statistics = [&](const std::string& metric, const std::string& dimensions) {
        return cloudwatch("Action=GetMetricStatistics&Namespace=AWS%2FECS&MetricName=" + metric +
                          "&StartTime=" + std::to_string(std::time(nullptr) - 3600) +
                          "&EndTime=" + std::to_string(std::time(nullptr) + 3600) +
                          "&Period=60&Statistics.member.1=Average&Statistics.member.2=Maximum&" + dimensions);
    };
    const std::string cluster = "Dimensions.member.1.Name=ClusterName&Dimensions.member.1.Value=c";
    const std::string service = cluster + "&Dimensions.member.2.Name=ServiceName&Dimensions.member.2.Value=shop";
    // 2.5 % of 2048 units are 51.2 of the 100 that the task reserves; 24 MiB are 37.5 % of 64, 0.6 % of 4000
    EXPECT_THAT(statistics("CPUUtilization", service), HasSubstr("<Average>51.2</Average>"));
    EXPECT_THAT(statistics("CPUUtilization", cluster), HasSubstr("<Average>2.5</Average><Maximum>4.0</Maximum>"));
    EXPECT_THAT(statistics("MemoryUtilization", service), HasSubstr("<Average>37.5</Average><Maximum>50.0</Maximum>"));
    EXPECT_THAT(statistics("MemoryUtilization", cluster), HasSubstr("<Average>0.6</Average>"));
    EXPECT_EQ(get("/_local/metrics").body["namespaces"], (Json{{"AWS/ECS", 4}}));
}

TEST_F(LocalServer, ChecksSignaturesOfCloudWatchCalls) {
    ServerSettings settings;
    settings.secret_access_key = Secret("topsecret");
    start(settings);
    http::request<http::string_body> request{http::verb::post, "/", 11};
    request.set("X-Amz-Target", "GraniteServiceVersion20100801.ListMetrics");
    request.body() = "{}";
    const Answer refused = exchange(std::move(request));
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(refused.body["__type"], "MissingAuthenticationTokenException");
}

TEST_F(LocalServer, PagesThroughListsAndKeepsTags) {
    start();
    for (const char* name : {"a", "b", "c"}) call("CreateCluster", {{"clusterName", name}});
    const Json first = call("ListClusters", {{"maxResults", 2}}).body;
    ASSERT_THAT(first["clusterArns"], SizeIs(2));
    const Json second = call("ListClusters", {{"maxResults", 2}, {"nextToken", first["nextToken"]}}).body;
    EXPECT_THAT(second["clusterArns"], SizeIs(1));
    EXPECT_FALSE(second.contains("nextToken"));
    const std::string arn = first["clusterArns"][0];
    call("TagResource", {{"resourceArn", arn}, {"tags", Json::array({Json{{"key", "k"}, {"value", "v"}}})}});
    EXPECT_EQ(call("ListTagsForResource", {{"resourceArn", arn}}).body["tags"],
              Json::parse(R"([{"key":"k","value":"v"}])"));
    call("UntagResource", {{"resourceArn", arn}, {"tagKeys", {"k"}}});
    EXPECT_THAT(call("ListTagsForResource", {{"resourceArn", arn}}).body["tags"], IsEmpty());
    EXPECT_EQ(call("DeleteCluster", {{"cluster", "a"}}).body["cluster"]["status"], "INACTIVE");
    EXPECT_EQ(call("DescribeClusters", {{"clusters", {"zz"}}}).body["failures"][0]["reason"], "MISSING");
}

TEST_F(LocalServer, ChecksSignaturesWhenItHasASecret) {
    ServerSettings settings;
    settings.secret_access_key = Secret("topsecret");
    start(settings);
    EXPECT_EQ(call("ListClusters", Json::object()).error_type, "MissingAuthenticationTokenException");
    instance = "x";
    Socket socket(io);
    beast::get_lowest_layer(socket).connect(endpoint());
    beast::websocket::response_type response;
    boost::system::error_code failed;
    socket.handshake(response, "127.0.0.1", target_of("acs"), failed);
    EXPECT_THAT(std::string(response.body()), HasSubstr("AccessDeniedException"));
}

}  // namespace
}  // namespace nodeagent::local
