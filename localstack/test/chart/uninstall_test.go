package chart_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

// startBareSite is a management cluster with nothing on it.
func startBareSite(t *testing.T) *site {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	etcd, err := controlplane.StartEtcd(ctx, t.TempDir())
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(etcd.Close)
	server, err := controlplane.Start(ctx, controlplane.Options{Name: "management", Dir: t.TempDir(), Etcd: etcd, Management: true})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := server.Wait(); err != nil {
			t.Errorf("the API server ended with %v", err)
		}
	})
	kubeconfig, err := server.Kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return &site{client: newClient(t, server.Config()), kubeconfig: path}
}

// Uninstalling must never take anybody's node pools away, and installing again must find them.
func TestUninstallKeepsNodepools(t *testing.T) {
	s := startBareSite(t)
	install := []string{"upgrade", "--install", release, chart, "--namespace", namespace, "--create-namespace"}
	s.helm(t, install...)
	np := &fleetwrightv1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c-p"},
		Spec:       fleetwrightv1.NodepoolSpec{ClusterName: "c", MachineType: "Standard_D4ds_v5"},
	}
	s.createSoon(t, np)
	s.helm(t, append(install, "--set", "nodepool.workers=5")...)
	s.helm(t, "uninstall", release, "--namespace", namespace)
	for _, object := range []client.Object{&rbacv1.ClusterRole{}, &rbacv1.ClusterRoleBinding{}} {
		if err := s.client.Get(t.Context(), client.ObjectKey{Name: "fleetwright"}, object); !apierrors.IsNotFound(err) {
			t.Errorf("%T is still there: %v", object, err)
		}
	}
	if left := s.nodepool(t, "c-p"); left.UID != np.UID || !left.DeletionTimestamp.IsZero() {
		t.Errorf("the Nodepool is no longer the same, or is being deleted: %+v", left.ObjectMeta)
	}
	s.helm(t, install...)
	if left := s.nodepool(t, "c-p"); left.UID != np.UID {
		t.Error("installing again made another Nodepool of it")
	}
}

// createSoon retries while the API server does not serve the kind yet.
func (s *site) createSoon(t *testing.T, np *fleetwrightv1.Nodepool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		err := s.client.Create(ctx, np)
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		t.Fatalf("create a Nodepool: %v", err)
	}
}
