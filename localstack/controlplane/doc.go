// Package controlplane runs real Kubernetes control planes inside the calling process: one etcd per stack, and
// any number of kube-apiservers, sets of kube-controller-manager loops and kube-schedulers on top of it.
//
// They are built from Kubernetes' own packages, so admission, RBAC, server-side apply, the eviction subresource
// and PodDisruptionBudgets behave as they do anywhere else. What is missing is documented by what is not started:
// there is no kubelet (see the sibling package kubelet), no cloud controller, no network, and aggregated API
// servers have no front-proxy identity.
//
// # Keeping state
//
// Everything a server needs to come back as the same server is kept in its directory: port, admin token,
// ServiceAccount signing key, certificate authority (or the stack's, see Options.CA). A process that was killed can be
// started again on the same directories, and kubeconfig files written before go on working. etcd does not call fsync,
// so a killed process loses nothing, while a machine that loses power may lose the last seconds.
//
// # Order of shutdown
//
// A server runs until the context given to Start ends. Wait for it with Server.Wait before closing etcd,
// or its last writes fail noisily.
//
// # One process, shared fate
//
// Kubernetes' post-start hooks call klog.Fatal when they give up, which would end the process and with it every other
// cluster in it. ContainFatal turns that into the end of the one goroutine, after which the failing server never gets
// ready and Start returns an error with the server's own readyz answer. A panic in a
// server's goroutine still ends the process, as do feature gates, Prometheus metrics and klog's settings stay shared.
package controlplane
