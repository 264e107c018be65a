package controlplane_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func TestServersInOneProcessAreApart(t *testing.T) {
	t.Parallel()
	e := startEtcd(t, t.TempDir())
	ca, err := controlplane.OpenCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, _ := startServer(t, controlplane.Options{Name: "a", Etcd: e, CA: ca})
	b, _ := startServer(t, controlplane.Options{Name: "b", Etcd: e, CA: ca})

	v, err := clientOf(t, a).Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if v.GitVersion != "v1.36.3" || v.Major != "1" || v.Minor != "36" {
		t.Errorf("server reports %s (%s.%s), want v1.36.3 (1.36)", v.GitVersion, v.Major, v.Minor)
	}

	if _, err := clientOf(t, a).CoreV1().ConfigMaps("default").Create(t.Context(), configMap("only-in-a"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := clientOf(t, b).CoreV1().ConfigMaps("default").Get(t.Context(), "only-in-a", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("object of a read from b: %v, want not found", err)
	}

	stranger := b.ConfigFor(a.Config().BearerToken)
	c, err := kubernetes.NewForConfig(stranger)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("a's admin token at b: %v, want unauthorized", err)
	}
}

func TestStartFallsBackFromABusyRememberedPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	busy := l.Addr().(*net.TCPAddr).Port
	e, dir := startEtcd(t, t.TempDir()), t.TempDir()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := os.WriteFile(filepath.Join(dir, "port"), []byte(port), 0o600); err != nil {
		t.Fatal(err)
	}

	if _, err := controlplane.Start(t.Context(), controlplane.Options{Name: "x", Dir: dir, Etcd: e, Port: busy}); err == nil || !strings.Contains(err.Error(), port) {
		t.Errorf("Start() on the busy port %s = %v, want an error that names it", port, err)
	}
	s, _ := startServer(t, controlplane.Options{Name: "x", Dir: dir, Etcd: e})
	if s.Port() == busy || s.Port() == 0 {
		t.Errorf("port = %d, want a free one instead of %d", s.Port(), busy)
	}
}

func TestEtcdDirectoryIsLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := startEtcd(t, dir)
	if second, err := controlplane.StartEtcd(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "in use") {
		if err == nil {
			second.Close()
		}
		t.Errorf("second StartEtcd() on one directory = %v, want an error that says it is in use", err)
	}
	e.Close()
	startEtcd(t, dir)
}

func TestForgetRemovesOnlyThatCluster(t *testing.T) {
	t.Parallel()
	e := startEtcd(t, t.TempDir())
	gone, keptDir := t.TempDir(), t.TempDir()
	a, stopA := startServer(t, controlplane.Options{Name: "a", Dir: gone, Etcd: e})
	ab, _ := startServer(t, controlplane.Options{Name: "a-b", Dir: keptDir, Etcd: e})
	for _, s := range []*controlplane.Server{a, ab} {
		if _, err := clientOf(t, s).CoreV1().ConfigMaps("default").Create(t.Context(), configMap("x"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	stopA()
	if err := e.Forget(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	a, _ = startServer(t, controlplane.Options{Name: "a", Dir: gone, Etcd: e})
	if _, err := clientOf(t, a).CoreV1().ConfigMaps("default").Get(t.Context(), "x", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("object of the forgotten cluster: %v, want not found", err)
	}
	if _, err := clientOf(t, ab).CoreV1().ConfigMaps("default").Get(t.Context(), "x", metav1.GetOptions{}); err != nil {
		t.Errorf("object of the other cluster: %v", err)
	}
}

func TestManagementServesServiceAccountsUnderRBACAndAudits(t *testing.T) {
	t.Parallel()
	audit := filepath.Join(t.TempDir(), "audit.log")
	const user = "system:serviceaccount:default:manager"
	s, _ := startServer(t, controlplane.Options{Name: "mgmt", Etcd: startEtcd(t, t.TempDir()), Management: true, AuditLog: audit, AuditReadsOf: user})
	admin := clientOf(t, s)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := admin.CoreV1().ServiceAccounts("default").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "manager"}}, metav1.CreateOptions{})
	must(err)
	_, err = admin.RbacV1().Roles("default").Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "manager"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
	}}, metav1.CreateOptions{})
	must(err)
	_, err = admin.RbacV1().RoleBindings("default").Create(ctx, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "manager"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "manager"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "manager"}},
	}, metav1.CreateOptions{})
	must(err)
	request, err := admin.CoreV1().ServiceAccounts("default").CreateToken(ctx, "manager", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	must(err)
	manager, err := kubernetes.NewForConfig(s.ConfigFor(request.Status.Token))
	must(err)

	// The API server learns of new Roles by watching itself.
	must(wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := manager.CoreV1().ConfigMaps("default").Create(ctx, configMap("allowed"), metav1.CreateOptions{})
		if apierrors.IsForbidden(err) {
			return false, nil
		}
		return err == nil, err
	}))
	_, err = manager.CoreV1().Secrets("default").Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "refused"}}, metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("write outside the Role: %v, want forbidden", err)
	}
	_, err = admin.CoreV1().ConfigMaps("default").Get(ctx, "allowed", metav1.GetOptions{})
	must(err)
	if _, err = manager.CoreV1().ConfigMaps("default").Get(ctx, "allowed", metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("read outside the Role: %v, want forbidden", err)
	}

	type entry struct {
		user, verb, resource, name string
		code                       int32
	}
	got := map[entry]int{}
	b, err := os.ReadFile(audit)
	must(err)
	for line := range strings.Lines(string(b)) {
		var ev auditv1.Event
		must(json.Unmarshal([]byte(line), &ev))
		if ev.ObjectRef != nil && ev.ResponseStatus != nil {
			got[entry{ev.User.Username, ev.Verb, ev.ObjectRef.Resource, ev.ObjectRef.Name, ev.ResponseStatus.Code}]++
		}
	}
	// A refused request is not read, so the API server does not know the name in its body.
	for _, want := range []entry{{user, "create", "configmaps", "allowed", 201}, {user, "create", "secrets", "", 403}, {user, "get", "configmaps", "allowed", 403}} {
		if got[want] != 1 {
			t.Errorf("audit log holds %d entries %+v, want 1", got[want], want)
		}
	}
	for e := range got {
		if e.verb == "get" && e.user != user {
			t.Errorf("audit log holds a read of somebody else: %+v", e)
		}
	}
	if strings.Contains(string(b), request.Status.Token) || strings.Contains(string(b), s.Config().BearerToken) {
		t.Error("the audit log holds a bearer token")
	}
}
