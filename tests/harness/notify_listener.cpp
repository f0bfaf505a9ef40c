// notify_listener SOCKET: is systemd's end of NOTIFY_SOCKET for a script, and prints what it is told, line by line.
#include <cstdio>
#include <exception>

#include "tests/fakes/notify_socket.hpp"

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: notify_listener SOCKET\n");
        return 2;
    }
    nodeagent::fakes::NotifySocket socket(argv[1]);
    for (;;) {
        std::fputs(socket.wait().c_str(), stdout);
        std::fflush(stdout);
    }
} catch (const std::exception& failure) {
    std::fprintf(stderr, "notify_listener: %s\n", failure.what());
    return 1;
}
