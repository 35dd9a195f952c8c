#include "tests/simulator/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <functional>

namespace picket::simulator {
namespace {

int PortOf(int socket, bool peer) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  const int failed =
      peer ? getpeername(socket, general, &size) : getsockname(socket, general, &size);
  return failed != 0 || address.sin_family != AF_INET ? -1 : ntohs(address.sin_port);
}

void ForEachConnection(int own, const std::function<void(int socket, int peer)>& visit) {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    char* end = nullptr;
    const auto socket = static_cast<int>(std::strtol(entry->d_name, &end, 10));
    if (end == entry->d_name || PortOf(socket, false) != own) continue;
    if (const int peer = PortOf(socket, true); peer > 0) visit(socket, peer);
  }
  closedir(directory);
}

}  // namespace

void ResetConnection(int own, int peer) {
  ForEachConnection(own, [&](int socket, int other) {
    if (other != peer) return;
    // Dissolving the association of a TCP socket sends RST (Linux).
    sockaddr none{};
    none.sa_family = AF_UNSPEC;
    (void)connect(socket, &none, sizeof(none));
  });
}

bool PeerIsGone(int own, int peer) {
  bool found = false, gone = false;
  ForEachConnection(own, [&](int socket, int other) {
    if (other != peer) return;
    found = true;
    pollfd state{.fd = socket, .events = POLLRDHUP, .revents = 0};
    gone = poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  });
  return !found || gone;
}

void ShutDownConnections(int own) {
  ForEachConnection(own, [](int socket, int) { shutdown(socket, SHUT_RDWR); });
}

}  // namespace picket::simulator
