// Package relay carries JSON-RPC messages between an MCP client and an MCP
// server, one line each, as fast as a pipe. It knows no token, starts no
// process and holds no policy: what may pass is decided by a [Gate].
//
// Towards the backend it is strict: a line that two parsers could read
// differently never arrives there, because such a line is a way around every
// rule that was applied to the other reading. Towards the client it is liberal:
// what it does not know it forwards, where what it is has one reading and it
// belongs to a call in flight.
//
// A line that need not change is forwarded byte for byte. A line that must
// change is spliced by offset, so every other byte stays: big integers, the
// order of members, the spelling of numbers, members that nobody here knows.
package relay
