// GrpcClient: containers, tasks, execs.

#include <utility>

#include "runtime/containerd/grpc/grpc_client.hpp"
#include "runtime/containerd/grpc/wire.hpp"

namespace nodeagent::runtime::containerd::wire_grpc {

namespace {

constexpr std::chrono::minutes kListTimeout{2};
constexpr std::chrono::minutes kDeleteTimeout{1};

wire::ProcessRequest process_request(const std::string& container, const std::string& exec) {
    wire::ProcessRequest request;
    request.set_container_id(container);
    request.set_exec_id(exec);
    return request;
}

Result<Exit> exit_of(const Result<wire::DeleteResponse>& answer) {
    if (!answer) return answer.error();
    return Exit{.status = answer->exit_status(), .at = time_of(answer->exited_at())};
}

/// A call to Wait that is on its way. Shared by who asked and by gRPC, which needs all of it until the end.
struct Waiting {
    std::unique_ptr<grpc::ClientContext> about;
    wire::ProcessRequest request;
    wire::WaitResponse answer;
    std::function<void(Result<Exit>)> done;
};

}  // namespace

// ---- containers

Result<void> GrpcClient::create_container(const Container& container) {
    wire::CreateContainerRequest request;
    put(*request.mutable_container(), container);
    const auto answer =
        connection_.call<wire::ContainerResponse>("/containerd.services.containers.v1.Containers/Create", request);
    if (!answer) return answer.error();
    return {};
}

Result<Container> GrpcClient::get_container(const std::string& id) {
    wire::ContainerRequest request;
    request.set_id(id);
    const auto answer =
        connection_.call<wire::ContainerResponse>("/containerd.services.containers.v1.Containers/Get", request);
    if (!answer) return answer.error();
    return container_of(answer->container());
}

Result<std::vector<Container>> GrpcClient::list_containers(const std::vector<std::string>& filters) {
    wire::ListContainersRequest request;
    for (const std::string& filter : filters) request.add_filters(filter);
    // a stream: the documents of some hundred containers are longer than one message may be
    const auto about = connection_.context(kListTimeout);
    const auto stream = connection_.stream<wire::ContainerResponse>(
        "/containerd.services.containers.v1.Containers/ListStream", *about, request);
    std::vector<Container> containers;
    wire::ContainerResponse one;
    while (stream->Read(&one)) containers.push_back(container_of(one.container()));
    if (const grpc::Status status = stream->Finish(); !status.ok()) return error_of(status);
    return containers;
}

Result<void> GrpcClient::set_extension(const std::string& id, const std::string& key, const Opaque& value) {
    wire::UpdateContainerRequest request;
    request.mutable_container()->set_id(id);
    (*request.mutable_container()->mutable_extensions())[key] = any_of(value.type_url, value.value);
    request.mutable_update_mask()->add_paths("extensions." + key);
    const auto answer =
        connection_.call<wire::ContainerResponse>("/containerd.services.containers.v1.Containers/Update", request);
    if (!answer) return answer.error();
    return {};
}

Result<void> GrpcClient::set_spec(const std::string& id, const std::string& spec) {
    wire::UpdateContainerRequest request;
    request.mutable_container()->set_id(id);
    *request.mutable_container()->mutable_spec() = any_of(kSpecType, spec);
    request.mutable_update_mask()->add_paths("spec");
    const auto answer =
        connection_.call<wire::ContainerResponse>("/containerd.services.containers.v1.Containers/Update", request);
    if (!answer) return answer.error();
    return {};
}

Result<void> GrpcClient::delete_container(const std::string& id) {
    wire::ContainerRequest request;
    request.set_id(id);
    const auto answer = connection_.call<wire::Empty>("/containerd.services.containers.v1.Containers/Delete", request);
    if (!answer) return answer.error();
    return {};
}

// ---- tasks

Result<std::uint32_t> GrpcClient::create_task(const NewTask& task, std::chrono::nanoseconds deadline) {
    wire::CreateTaskRequest request;
    request.set_container_id(task.container_id);
    put(*request.mutable_rootfs(), task.root);
    request.set_stdin(task.streams.in);
    request.set_stdout(task.streams.out);
    request.set_stderr(task.streams.err);
    request.set_terminal(task.terminal);
    const auto answer =
        connection_.call<wire::CreateTaskResponse>("/containerd.services.tasks.v1.Tasks/Create", request, deadline);
    if (!answer) return answer.error();
    return answer->pid();
}

Result<void> GrpcClient::start(const std::string& container, const std::string& exec,
                               std::chrono::nanoseconds deadline) {
    const auto answer = connection_.call<wire::Empty>("/containerd.services.tasks.v1.Tasks/Start",
                                                      process_request(container, exec), deadline);
    if (!answer) return answer.error();
    return {};
}

Result<Process> GrpcClient::get_task(const std::string& container, const std::string& exec) {
    const auto answer = connection_.call<wire::GetTaskResponse>("/containerd.services.tasks.v1.Tasks/Get",
                                                                process_request(container, exec));
    if (!answer) return answer.error();
    Process process = process_of(answer->process());
    process.container_id = container;  // which the daemon does not repeat
    process.exec_id = exec;
    return process;
}

Result<std::vector<Process>> GrpcClient::list_tasks() {
    const auto answer = connection_.call<wire::ListTasksResponse>("/containerd.services.tasks.v1.Tasks/List",
                                                                  wire::ListTasksRequest(), kListTimeout);
    if (!answer) return answer.error();
    std::vector<Process> processes;
    for (const wire::Process& process : answer->tasks()) processes.push_back(process_of(process));
    return processes;
}

Result<void> GrpcClient::kill(const std::string& container, const std::string& exec, int signal, bool all) {
    wire::KillRequest request;
    request.set_container_id(container);
    request.set_exec_id(exec);
    request.set_signal(static_cast<std::uint32_t>(signal));
    request.set_all(all);
    const auto answer = connection_.call<wire::Empty>("/containerd.services.tasks.v1.Tasks/Kill", request);
    if (!answer) return answer.error();
    return {};
}

std::shared_ptr<void> GrpcClient::wait(const std::string& container, const std::string& exec,
                                       std::function<void(Result<Exit>)> done) {
    auto waiting = std::make_shared<Waiting>();
    waiting->about = connection_.context({});
    waiting->request = process_request(container, exec);
    waiting->done = std::move(done);
    connection_.later(
        "/containerd.services.tasks.v1.Tasks/Wait", *waiting->about, waiting->request, waiting->answer,
        [waiting](const grpc::Status& status) {
            if (!status.ok()) return waiting->done(error_of(status));
            waiting->done(Exit{.status = waiting->answer.exit_status(), .at = time_of(waiting->answer.exited_at())});
        });
    return std::shared_ptr<void>(nullptr, [waiting](void*) { waiting->about->TryCancel(); });
}

Result<Exit> GrpcClient::delete_task(const std::string& container) {
    return exit_of(connection_.call<wire::DeleteResponse>("/containerd.services.tasks.v1.Tasks/Delete",
                                                          process_request(container, {}), kDeleteTimeout));
}

Result<void> GrpcClient::add_exec(const NewExec& exec) {
    wire::ExecRequest request;
    request.set_container_id(exec.container_id);
    request.set_exec_id(exec.exec_id);
    request.set_stdin(exec.streams.in);
    request.set_stdout(exec.streams.out);
    request.set_stderr(exec.streams.err);
    request.set_terminal(exec.terminal);
    *request.mutable_spec() = any_of(kProcessType, exec.process);
    const auto answer = connection_.call<wire::Empty>("/containerd.services.tasks.v1.Tasks/Exec", request);
    if (!answer) return answer.error();
    return {};
}

Result<Exit> GrpcClient::delete_exec(const std::string& container, const std::string& exec) {
    return exit_of(connection_.call<wire::DeleteResponse>("/containerd.services.tasks.v1.Tasks/DeleteProcess",
                                                          process_request(container, exec), kDeleteTimeout));
}

}  // namespace nodeagent::runtime::containerd::wire_grpc
