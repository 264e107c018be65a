// Package sandbox runs programs in a private network namespace, for programs that listen on all interfaces and cannot be
// told otherwise: nothing outside this machine, and nothing on it but the stack, reaches them.
//
// The namespace has a loopback device and nothing else, so single ports are relayed: Options.Bring makes ports of this
// machine's loopback available inside, Options.Expose lets listeners of this machine lead to ports inside.
// A relay needs no privilege and no packet ever crosses: the process inside and the process outside hand each other
// listening sockets, which belong to the namespace they were made in for as long as they live.
//
// No root is needed: the namespace comes with a user namespace of its own. Linux only.
package sandbox
