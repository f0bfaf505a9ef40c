#pragma once
// The work step() asks for. Each action with a result comes back as one event, success or failure; the runner runs them
// concurrently. Actions are safe to repeat: after a restart the same plan is made again.

#include <string>
#include <variant>

#include "agent/core/task_state.hpp"
#include "agent/model/state_change.hpp"

namespace nodeagent::core {

/// Join the waiting queue -> HostResourcesGranted or HostResourcesRefused.
struct AcquireHostResources {};
/// Leave the queue or give back what is held. No answer.
struct ReleaseHostResources {};
struct CreateResource {
    std::string name;
};  // -> ResourceSettled
struct ResolveManifest {
    std::string container;
};  // -> ManifestResolved
struct PullImage {
    std::string container;
};  // -> PullBegan (real pulls), ImagePulled
/// Make sure that the image of an internal container is on the host; the agent brings it along. No pull.
struct ProvideImage {
    std::string container;
};  // -> ImagePulled
struct AssignPorts {
    std::string container;
};  // -> PortsAssigned
struct CreateContainer {
    std::string container;
};  // -> ContainerCreated
struct StartContainer {
    std::string container;
};  // -> ContainerStarted
struct StopContainer {
    std::string container;
    std::chrono::seconds grace{30};
};  // -> ContainerStopDone
/// Write what is known of a running container into its metadata file -> MetadataFileWritten, once it is written or the
/// container has ended; a failure is tried again until then.
struct WriteMetadataFile {
    std::string container;
    std::int64_t run = 0;  ///< how often the restart policy had started it again
};
/// Look at every created container -> ContainerObserved or ContainerVanished for each.
struct InspectContainers {};
struct ReportContainer {
    model::ContainerStateChange change;
};
struct ReportTask {
    model::TaskStateChange change;
};
/// -> Woken at (or soon after) `when`; a later WakeAt replaces an earlier one.
struct WakeAt {
    SteadyTime when;
};
struct ForgetCredentials {
    std::string credentials_id;
};
/// Remove containers, task volumes, cgroup and files, then -> CleanedUp; the runner then erases the task and ends.
struct CleanUp {};

using Action =
    std::variant<AcquireHostResources, ReleaseHostResources, CreateResource, ResolveManifest, PullImage, ProvideImage,
                 AssignPorts, CreateContainer, StartContainer, StopContainer, WriteMetadataFile, InspectContainers,
                 ReportContainer, ReportTask, WakeAt, ForgetCredentials, CleanUp>;

}  // namespace nodeagent::core
