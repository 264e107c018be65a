// Package loopback serves webhooks on 127.0.0.1 with a certificate authority of its own.
//
// In a real cluster cert-manager issues the certificates of webhook servers and a Service gives them a name. A local
// stack has neither: each server makes its authority in memory, listens on a free loopback port and is reached by URL,
// so that any number of stacks run side by side and nothing secret touches the disk.
package loopback
