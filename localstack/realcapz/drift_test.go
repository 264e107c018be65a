//go:build realcapz

package realcapz_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

const (
	quickstartID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/quickstart/providers/Microsoft.ContainerService/managedClusters/quickstart"
	aksVersion   = "2025-10-01"
	// somebody is the application by which Azure is changed behind everybody's back.
	somebody = "99999999-9999-9999-9999-999999999999"
)

// declareProfile asks for two settings of the cluster autoscaler before there is a cluster, so that it is made with them.
func declareProfile(t *testing.T, layout stack.Layout) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", layout.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := fleetwrightv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	management, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	err = management.Create(t.Context(), &fleetwrightv1.AzureClusterAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "quickstart"},
		Spec: fleetwrightv1.AzureClusterAutoscalerSpec{
			ClusterName: "quickstart",
			Profile: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{
				Expander: fleetwrightv1.AutoscalerExpanderLeastWaste, ScaleDownUnneededSeconds: new(int32(300)),
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// drifter changes things in Azure as somebody with curl, and sees what becomes of it.
type drifter struct {
	t          *testing.T
	stack      *stack.Stack
	management client.Client
	events     kubernetes.Interface
	azure      *simclient.Client
}

func newDrifter(t *testing.T, running *stack.Stack) *drifter {
	t.Helper()
	d := &drifter{t: t, stack: running}
	scheme := runtime.NewScheme()
	d.must(fleetwrightv1.AddToScheme(scheme))
	var err error
	d.management, err = client.New(running.Management(), client.Options{Scheme: scheme})
	d.must(err)
	d.events, err = kubernetes.NewForConfig(running.Management())
	d.must(err)
	identity := simclient.Identity{TenantID: "33333333-3333-3333-3333-333333333333", ClientID: somebody, ClientSecret: "any"}
	d.azure, err = simclient.New(running.Azure().URL(), running.Azure().CAFile(), identity)
	d.must(err)
	return d
}

// heal takes a role away and changes the autoscaler profile, both by raw requests to Azure, and waits until the operator has put each right by one
// write. CAPZ and Azure Service Operator take no part in it: they look once an hour.
func (d *drifter) heal() {
	d.t.Helper()
	began := time.Now()
	d.until("the profile is in force", func() string { return d.notTrue(d.autoscaler().Status.Conditions, "Ready") })
	if through := string(d.autoscaler().Status.WrittenThrough); !strings.HasPrefix(through, "Azure") {
		d.t.Errorf("the profile was written through %s", through)
	}
	d.awaitSweeps("role assignments", "autoscaler profiles")
	// The operator looks at the cluster again after half a minute if it meets the operation of this very change.
	settings := d.stack.Azure().Settings()
	settings.Durations.ClusterUpdate = metav1.Duration{}
	d.stack.Azure().SetSettings(settings)

	changed := time.Now()
	assignmentID := d.assignment().Status.AssignmentID
	d.request(http.MethodDelete, assignmentID, "2022-04-01", nil)
	cluster := d.request(http.MethodGet, quickstartID, aksVersion, nil)
	d.must(unstructured.SetNestedField(cluster, "random", "properties", "autoScalerProfile", "expander"))
	d.until("Azure takes the change", func() string {
		if status, answer := d.send(http.MethodPut, quickstartID, aksVersion, cluster); status != http.StatusOK {
			return string(answer) // a conflict, while anybody's operation runs
		}
		return ""
	})
	d.until("the role is assigned again", func() string {
		return notHealed(d.assignment().Status.DriftHistory, "missing")
	})
	d.until("the profile is as declared again", func() string {
		now := d.request(http.MethodGet, quickstartID, aksVersion, nil)
		if expander, _, _ := unstructured.NestedString(now, "properties", "autoScalerProfile", "expander"); expander != "least-waste" {
			return "expander is " + expander
		}
		return notHealed(d.autoscaler().Status.DriftHistory, "expander")
	})
	for _, id := range []string{assignmentID, quickstartID} {
		if n := d.writes(id, changed); n != 1 {
			d.t.Errorf("%s was healed by %d PUTs of the operator, want 1", id, n)
		}
	}
	for name, words := range map[string]string{
		"quickstart-registry-shop": "it is missing, changed by " + somebody,
		"quickstart":               `expander is "random", declared is "least-waste", changed by ` + somebody,
	} {
		d.until("an event tells of "+name, func() string { return d.untold(name, words) })
	}
	d.t.Logf("both drifts were made, found and healed %s after they were asked for", time.Since(began).Round(time.Second))
}

// settled waits until both objects say that all is well again: the operator leaves Azure half a minute for its own write.
func (d *drifter) settled() {
	d.t.Helper()
	d.until("the profile is well again", func() string { return d.notTrue(d.autoscaler().Status.Conditions, "Ready") })
	d.until("the role is well again", func() string { return d.notTrue(d.assignment().Status.Conditions, "Ready") })
}

func (d *drifter) autoscaler() *fleetwrightv1.AzureClusterAutoscaler {
	d.t.Helper()
	a := &fleetwrightv1.AzureClusterAutoscaler{}
	d.must(d.management.Get(d.t.Context(), client.ObjectKey{Namespace: "default", Name: "quickstart"}, a))
	return a
}

func (d *drifter) assignment() *fleetwrightv1.AzureRoleAssignment {
	d.t.Helper()
	a := &fleetwrightv1.AzureRoleAssignment{}
	d.must(d.management.Get(d.t.Context(), client.ObjectKey{Namespace: "default", Name: "quickstart-registry-shop"}, a))
	return a
}

// notHealed is why the last drift is not one of this field that somebody made and that was healed.
func notHealed(history []fleetwrightv1.DriftRecord, field string) string {
	if len(history) == 1 && history[0].Outcome == "Healed" && history[0].ChangedBy == somebody && slices.Equal(history[0].Fields, []string{field}) {
		return ""
	}
	return fmt.Sprintf("the history is %+v", history)
}

func (*drifter) notTrue(conditions []metav1.Condition, kind string) string {
	for _, c := range conditions {
		if c.Type == kind && c.Status == metav1.ConditionTrue {
			return ""
		}
	}
	return fmt.Sprint(conditions)
}

func (d *drifter) untold(name, words string) string {
	d.t.Helper()
	about := metav1.ListOptions{FieldSelector: "involvedObject.name=" + name + ",reason=DriftHealed"}
	all, err := d.events.CoreV1().Events("default").List(d.t.Context(), about)
	d.must(err)
	for _, e := range all.Items {
		if strings.Contains(e.Message, words) {
			return ""
		}
	}
	return fmt.Sprintf("%d events", len(all.Items))
}

// writes are the PUTs of a resource by the operator since a time.
func (d *drifter) writes(id string, since time.Time) int {
	n := 0
	for _, r := range d.stack.Azure().Requests() {
		if r.Method == http.MethodPut && strings.EqualFold(r.Path, id) && strings.HasPrefix(r.UserAgent, "fleetwright ") && r.Time.After(since) {
			n++
		}
	}
	return n
}

// awaitSweeps waits until Resource Graph must have shown these things as they are.
func (d *drifter) awaitSweeps(targets ...string) {
	d.t.Helper()
	before := map[string]int{}
	for _, target := range targets {
		before[target] = d.sweeps(target)
	}
	for _, target := range targets {
		d.until("two sweeps of "+target, func() string {
			if now := d.sweeps(target); now < before[target]+2 {
				return fmt.Sprintf("%d, and %d before", now, before[target])
			}
			return ""
		})
	}
}

func (d *drifter) sweeps(target string) int {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, "http://"+d.stack.Record().OperatorMetrics+"/metrics", http.NoBody)
	d.must(err)
	response, err := http.DefaultClient.Do(request)
	d.must(err)
	defer func() { _ = response.Body.Close() }()
	metrics, err := io.ReadAll(response.Body)
	d.must(err)
	_, rest, _ := strings.Cut(string(metrics), fmt.Sprintf("\nfleetwright_drift_sweeps_total{result=\"ok\",target=%q} ", target))
	value, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.Atoi(value)
	return n
}

// request is what somebody with curl sends; it has to succeed.
func (d *drifter) request(method, id, version string, body any) map[string]any {
	d.t.Helper()
	status, answer := d.send(method, id, version, body)
	if status >= http.StatusBadRequest {
		d.t.Fatalf("%s %s: %d %s", method, id, status, answer)
	}
	read := map[string]any{}
	if len(answer) > 0 {
		d.must(json.Unmarshal(answer, &read))
	}
	return read
}

func (d *drifter) send(method, id, version string, body any) (status int, answer []byte) {
	d.t.Helper()
	token, err := d.azure.Credential.GetToken(d.t.Context(), policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
	d.must(err)
	content, err := json.Marshal(body)
	d.must(err)
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.stack.Azure().URL()+id+"?api-version="+version, bytes.NewReader(content))
	d.must(err)
	request.Header.Set("Authorization", "Bearer "+token.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := d.azure.Options.Transport.Do(request)
	d.must(err)
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	d.must(err)
	return response.StatusCode, answer
}

// until polls until why says nothing more.
func (d *drifter) until(what string, why func() string) {
	d.t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(d.t.Context(), 250*time.Millisecond, 2*time.Minute, true, func(context.Context) (bool, error) {
		if err := d.stack.Failure(); err != nil {
			return false, err
		}
		last = why()
		return last == "", nil
	})
	if err != nil {
		d.t.Fatalf("%s: %v: %s", what, err, last)
	}
}

func (d *drifter) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}
