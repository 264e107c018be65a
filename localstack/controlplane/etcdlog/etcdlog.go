// Package etcdlog keeps the etcd client that Kubernetes builds in from writing to the terminal. Import it for that effect.
package etcdlog

import "go.etcd.io/etcd/client/pkg/v3/logutil"

// k8s.io/apiserver makes that logger while it is initialized, from this configuration and without any way to set it. It warns
// about each cancelled call, of which there are many whenever a server stops; what matters reaches klog as an error of the storage.
// Go initializes packages that are ready in the order of their import paths, so this one comes before k8s.io/apiserver.
func init() {
	logutil.DefaultZapLoggerConfig.OutputPaths = nil
	logutil.DefaultZapLoggerConfig.ErrorOutputPaths = nil
}
