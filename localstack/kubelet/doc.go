// Package kubelet simulates the nodes of a workload cluster: it plays the kubelet for every Node that carries Label, on a real API server.
//
// A registered Node becomes Ready after a while and sends heartbeats. A Pod that the scheduler bound to such a Node starts, gets Ready, runs,
// and ends when it is deleted: not before its own time to terminate is over, and not later than its grace period, as with a real kubelet.
// Pods of Nodes without the label are left alone.
//
// How long each step takes is drawn from a range, the same for the same seed and pod, and can be scripted per object with annotations.
// Nothing is remembered that the API server does not know, except when something was first seen: a kubelet that is started again goes on where the
// last one ended.
package kubelet
