#pragma once

namespace picket::simulator {

// The HTTP library hides its sockets; these find them by their ports. `own`: the server's port.

// Ends a connection with RST, so that the client sees "connection reset".
void ResetConnection(int own, int peer);
// Whether the client has closed its side.
bool PeerIsGone(int own, int peer);
// Ends every connection of the server.
void ShutDownConnections(int own);

}  // namespace picket::simulator
