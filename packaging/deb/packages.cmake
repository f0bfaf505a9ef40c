# CPack's Debian packages: ecs-node-agent, ecs-node-agent-containerd and ecs-local.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL agent containerd local)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(NODEAGENT_MAINTAINER "ecs-node-agent maintainers <ecs-node-agent@example.org>" CACHE STRING "Maintainer: of the packages")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${NODEAGENT_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(CPACK_DEBIAN_AGENT_PACKAGE_NAME ecs-node-agent)
set(CPACK_DEBIAN_AGENT_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_AGENT_DESCRIPTION "node agent of Amazon ECS clusters
Makes this machine a container instance of an Amazon ECS cluster: registers it,
runs the tasks that the cluster places here through Docker under cgroup limits,
reports what happens to them, and serves containers their metadata and
credentials. It takes the place of amazon-ecs-agent.")
# What the programs are linked with. libsystemd is opened by name, and only where systemd runs, which brings it.
set(CPACK_DEBIAN_AGENT_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_AGENT_PACKAGE_RECOMMENDS "docker.io | docker-ce | ecs-node-agent-containerd, ca-certificates, iptables")
set(CPACK_DEBIAN_AGENT_PACKAGE_SUGGESTS ecs-local)
# it has the same unit and the same ports
set(CPACK_DEBIAN_AGENT_PACKAGE_CONFLICTS amazon-ecs-init)
set(scripts ${CMAKE_CURRENT_LIST_DIR}/agent)
set(CPACK_DEBIAN_AGENT_PACKAGE_CONTROL_EXTRA ${scripts}/postinst ${scripts}/prerm ${scripts}/postrm)

set(CPACK_DEBIAN_CONTAINERD_PACKAGE_NAME ecs-node-agent-containerd)
set(CPACK_DEBIAN_CONTAINERD_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_CONTAINERD_DESCRIPTION "node agent of Amazon ECS clusters, tasks on containerd
What ecs-node-agent needs to run tasks on containerd, without Docker: the
module that speaks with containerd, the program that ships the logs of
containers to CloudWatch, files or the journal, and the rights for the unit.")
set(CPACK_DEBIAN_CONTAINERD_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CONTAINERD_PACKAGE_DEPENDS
    "ecs-node-agent (= ${PROJECT_VERSION}), containerd | containerd.io, containernetworking-plugins, iptables")
set(CPACK_DEBIAN_CONTAINERD_PACKAGE_RECOMMENDS "ca-certificates, conntrack")
set(scripts ${CMAKE_CURRENT_LIST_DIR}/containerd)
set(CPACK_DEBIAN_CONTAINERD_PACKAGE_CONTROL_EXTRA ${scripts}/postinst ${scripts}/postrm)

set(CPACK_DEBIAN_LOCAL_PACKAGE_NAME ecs-local)
set(CPACK_DEBIAN_LOCAL_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_LOCAL_DESCRIPTION "Amazon ECS control plane for one machine
An ECS API that agents, the AWS CLI and SDKs can use without an AWS account, to
develop and test on one machine: clusters, task definitions, tasks and the
sessions of agents, with their state in SQLite.")
set(CPACK_DEBIAN_LOCAL_PACKAGE_SHLIBDEPS ON)
include(CPack)
