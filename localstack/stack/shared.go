package stack

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// sharedName is the shared API server's name in etcd. Those of clusters end in a hash, so that none is called so.
const sharedName = "shared"

// apiServer is what a cluster is reached by.
type apiServer interface {
	Kubeconfig() ([]byte, error)
	Config() *rest.Config
	// Wait returns when it has stopped.
	Wait() error
}

var (
	_ apiServer = &controlplane.Server{}
	_ apiServer = sharedPart{}
)

// sharedServer is one API server for all simulated AKS clusters, with one set of controllers and one scheduler. A hundred
// servers of their own would take ten gigabytes. What it costs is isolation: namespaces and what is in them are the same in
// all clusters, and the scheduler knows the nodes of all.
type sharedServer struct {
	server *controlplane.Server
	front  *sharedFront
	client kubernetes.Interface
}

func startShared(ctx context.Context, layout Layout, etcd *controlplane.Etcd, ca *controlplane.CA, log logr.Logger) (*sharedServer, error) {
	s := &sharedServer{front: newSharedFront()}
	var err error
	s.server, err = controlplane.Start(ctx, controlplane.Options{
		Name: sharedName, Dir: layout.sharedWorkload(), Etcd: etcd, CA: ca, AuditLog: layout.SharedWorkloadAudit(), Log: log, Front: s.front.wrap,
	})
	if err != nil {
		return nil, err
	}
	cfg := s.server.Config()
	s.client, err = kubernetes.NewForConfig(named(cfg, "azure"))
	if err != nil {
		return nil, fmt.Errorf("make client for the shared API server: %w", err)
	}
	return s, errors.Join(controlplane.StartControllers(ctx, cfg), controlplane.StartScheduler(ctx, cfg))
}

// part gives a cluster its address.
func (s *sharedServer) part(name string) sharedPart {
	return sharedPart{server: s.server, path: s.front.add(name)}
}

// forget ends a cluster's address and removes its nodes and their pods. Other objects stay: they belong to no cluster.
func (s *sharedServer) forget(ctx context.Context, name string) error {
	s.front.remove(name)
	nodes, err := s.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: clusterLabel + "=" + name})
	if err != nil {
		return fmt.Errorf("list nodes of deleted cluster %s: %w", name, err)
	}
	for i := range nodes.Items {
		if err := kubelet.DeleteNode(ctx, s.client, nodes.Items[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// sharedPart is a cluster's view of the shared server.
type sharedPart struct {
	server *controlplane.Server
	path   string
}

// Config is the administrator's, with the cluster's path.
func (p sharedPart) Config() *rest.Config {
	cfg := p.server.Config()
	cfg.Host += p.path
	return cfg
}

// Kubeconfig is the administrator's, with the cluster's path.
func (p sharedPart) Kubeconfig() ([]byte, error) {
	content, err := p.server.Kubeconfig()
	if err != nil {
		return nil, err
	}
	kubeconfig, err := clientcmd.Load(content)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	for _, each := range kubeconfig.Clusters {
		each.Server += p.path
	}
	if content, err = clientcmd.Write(*kubeconfig); err != nil {
		return nil, fmt.Errorf("encode kubeconfig: %w", err)
	}
	return content, nil
}

// Wait does not: the server goes on for others.
func (sharedPart) Wait() error { return nil }

// startSharedWorkload starts the server that all clusters share, before any cluster starts.
func (s *Stack) startSharedWorkload(ctx context.Context, log logr.Logger) error {
	life := newLife(ctx)
	shared, err := startShared(life.ctx, s.layout, s.etcd, s.ca, log.WithValues("cluster", "all"))
	if err != nil {
		life.end()
		return err
	}
	s.clusters.shared = shared
	s.parts.run(worldLevel, life, "API server of the workload clusters", shared.server.Wait)
	return nil
}

// errOtherWorkload tells what a directory was started with, and with that it has to be started again: its clusters are in another place of etcd.
func errOtherWorkload(shared bool) error {
	if shared {
		return errors.New("this stack was made with one API server for all clusters: start it with --shared-workload, or reset it")
	}
	return errors.New("this stack was made with an API server for each cluster: start it without --shared-workload, or reset it")
}
