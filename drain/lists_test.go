package drain

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// lists serves objects as kube-apiserver serves lists, two per page at one revision.
type lists struct {
	nodes        []corev1.Node
	pods         []corev1.Pod
	budgets      []policyv1.PodDisruptionBudget
	replicaSets  []appsv1.ReplicaSet
	statefulSets []appsv1.StatefulSet
	daemonSets   []appsv1.DaemonSet
	namespaces   []corev1.Namespace

	// trouble may answer a request in the server's place; n counts the requests of its path, from 1.
	trouble func(w http.ResponseWriter, r *http.Request, n int) bool
	// revision of the n-th request for a path; nil means always 100.
	revision func(n int) string

	mu       sync.Mutex
	requests []string
	count    map[string]int
}

func (l *lists) serve(t *testing.T) kubernetes.Interface {
	t.Helper()
	l.count = map[string]int{}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return clientFor(t, server.URL)
}

func (l *lists) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r.URL.Path)
	l.count[r.URL.Path]++
	if l.trouble != nil && l.trouble(w, r, l.count[r.URL.Path]) {
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) == 4 && parts[2] == "nodes" {
		l.getNode(w, parts[3])
		return
	}
	namespace := ""
	if i := slices.Index(parts, "namespaces"); i >= 0 && i+1 < len(parts) {
		namespace = parts[i+1]
	}
	switch parts[len(parts)-1] {
	case "nodes":
		page(l, w, r, namespace, l.nodes)
	case "pods":
		page(l, w, r, namespace, l.pods)
	case "poddisruptionbudgets":
		page(l, w, r, namespace, l.budgets)
	case "replicasets":
		page(l, w, r, namespace, l.replicaSets)
	case "statefulsets":
		page(l, w, r, namespace, l.statefulSets)
	case "daemonsets":
		page(l, w, r, namespace, l.daemonSets)
	case "namespaces":
		page(l, w, r, namespace, l.namespaces)
	}
}

func (l *lists) getNode(w http.ResponseWriter, name string) {
	for _, node := range l.nodes {
		if node.Name == name {
			send(w, http.StatusOK, node)
			return
		}
	}
	sendReply(w, failure(404, "NotFound", `nodes "`+name+`" not found`, ""))
}

func page[T any](l *lists, w http.ResponseWriter, r *http.Request, namespace string, items []T) {
	node, byNode := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "spec.nodeName=")
	items = slices.DeleteFunc(slices.Clone(items), func(item T) bool {
		meta := any(&item).(metav1.Object)
		p, isPod := any(&item).(*corev1.Pod)
		return namespace != "" && meta.GetNamespace() != namespace || byNode && isPod && p.Spec.NodeName != node
	})
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	to := min(from+2, len(items))
	revision := "100"
	if l.revision != nil {
		revision = l.revision(l.count[r.URL.Path])
	}
	meta := map[string]any{"resourceVersion": revision}
	if to < len(items) {
		meta["continue"] = strconv.Itoa(to)
	}
	send(w, http.StatusOK, map[string]any{"metadata": meta, "items": items[from:to]})
}

func send(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func sendReply(w http.ResponseWriter, r reply) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.code)
	_, _ = w.Write([]byte(r.body))
}
