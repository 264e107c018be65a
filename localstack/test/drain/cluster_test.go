package drain_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

const (
	namespace = "shop"
	userAgent = "drain-under-test"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "drain-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if _, err := controlplane.LogToFile(filepath.Join(dir, "klog.log")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// cluster is a real API server with the real controllers and scheduler, and simulated nodes.
type cluster struct {
	// admin sets things up; drain is the client the engine under test uses, told apart in the audit log by its user agent.
	admin, drain kubernetes.Interface
	ca           *controlplane.CA
	audit        string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	etcd, err := controlplane.StartEtcd(ctx, t.TempDir())
	must(t, err)
	t.Cleanup(etcd.Close)
	ca, err := controlplane.OpenCA(t.TempDir())
	must(t, err)
	c := &cluster{ca: ca, audit: filepath.Join(t.TempDir(), "audit.log")}
	server, err := controlplane.Start(ctx, controlplane.Options{
		Name: "workload", Dir: t.TempDir(), Etcd: etcd, CA: ca, Management: true, AuditLog: c.audit,
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = server.Wait()
	})
	must(t, controlplane.StartControllers(ctx, server.Config()))
	must(t, controlplane.StartScheduler(ctx, server.Config()))
	must(t, kubelet.Start(ctx, server.Config(), kubelet.Settings{
		Seed:           1,
		PodStart:       kubelet.Range{Min: 300 * time.Millisecond, Max: 800 * time.Millisecond},
		PodTermination: kubelet.Range{Min: 200 * time.Millisecond, Max: 500 * time.Millisecond},
	}))
	c.admin, err = kubernetes.NewForConfig(server.Config())
	must(t, err)
	config := server.Config()
	config.UserAgent = userAgent
	c.drain, err = kubernetes.NewForConfig(config)
	must(t, err)
	_, err = c.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) addNodes(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, kubelet.EnsureNode(t.Context(), c.admin, kubelet.Node{Name: name, ProviderID: "azure:///" + name, Version: "v1.34.2"}))
	}
}

func template(app string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: app}}},
	}
}

func selector(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }

func (c *cluster) deploy(t *testing.T, app string, replicas int32) {
	t.Helper()
	_, err := c.admin.AppsV1().Deployments(namespace).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: named(app), Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector(app), Template: template(app)},
	}, metav1.CreateOptions{})
	must(t, err)
}

func (c *cluster) statefulSet(t *testing.T, app string, replicas int32) {
	t.Helper()
	_, err := c.admin.AppsV1().StatefulSets(namespace).Create(t.Context(), &appsv1.StatefulSet{
		ObjectMeta: named(app),
		Spec: appsv1.StatefulSetSpec{
			Replicas: &replicas, Selector: selector(app), Template: template(app), ServiceName: app, PodManagementPolicy: appsv1.ParallelPodManagement,
		},
	}, metav1.CreateOptions{})
	must(t, err)
}

func (c *cluster) daemonSet(t *testing.T, app string) {
	t.Helper()
	_, err := c.admin.AppsV1().DaemonSets(namespace).Create(t.Context(), &appsv1.DaemonSet{
		ObjectMeta: named(app), Spec: appsv1.DaemonSetSpec{Selector: selector(app), Template: template(app)},
	}, metav1.CreateOptions{})
	must(t, err)
}

func (c *cluster) barePod(t *testing.T, app string, annotations map[string]string) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: named(app), Spec: template(app).Spec}
	pod.Labels, pod.Annotations = map[string]string{"app": app}, annotations
	_, err := c.admin.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{})
	must(t, err)
}

// budget creates a PodDisruptionBudget for app with one of maxUnavailable and minAvailable, the other is nil.
func (c *cluster) budget(t *testing.T, name, app string, maxUnavailable, minAvailable *intstr.IntOrString) {
	t.Helper()
	_, err := c.admin.PolicyV1().PodDisruptionBudgets(namespace).Create(t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: named(name),
		Spec:       policyv1.PodDisruptionBudgetSpec{Selector: selector(app), MaxUnavailable: maxUnavailable, MinAvailable: minAvailable},
	}, metav1.CreateOptions{})
	must(t, err)
}

// denyEvictionsOf runs an admission webhook that refuses to evict the named pod with 429, as operators of databases do.
func (c *cluster) denyEvictionsOf(t *testing.T, pod string) {
	t.Helper()
	certificate, key, err := c.ca.Issue("127.0.0.1")
	must(t, err)
	pair, err := tls.X509KeyPair(certificate, key)
	must(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &review)
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: review.Request.Name != pod}
		if !review.Response.Allowed {
			review.Response.Result = &metav1.Status{Code: http.StatusTooManyRequests, Message: pod + " is the primary, a failover is under way"}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	fail, none := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	_, err = c.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "primary"},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "primary.example.com", FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &server.URL, CABundle: c.ca.PEM()},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods/eviction"}},
			}},
		}},
	}, metav1.CreateOptions{})
	must(t, err)
}

// eventually polls until done says so; what it returns last is part of the failure.
func eventually(t *testing.T, limit time.Duration, what string, done func(context.Context) (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	state := ""
	for {
		ok, now := done(ctx)
		if ok {
			return
		}
		if ctx.Err() == nil {
			state = now
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s, last seen: %s", what, limit, state)
		case <-tick.C:
		}
	}
}
