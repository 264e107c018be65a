package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

// programs are the programs this binary plays, by the name under which they are called. They read os.Args and return an exit code.
func programs() map[string]func() int {
	return map[string]func() int{"etcd": etcd, "kube-apiserver": kubeAPIServer}
}

func etcd() int {
	etcdmain.Main(os.Args) // ends the process itself on errors
	return 0
}

func kubeAPIServer() int {
	if err := controlplane.ReportVersion(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	return cli.Run(app.NewAPIServerCommand())
}
