package cli_test

import (
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func TestPlanSaysWhatAChangeWouldDo(t *testing.T) {
	f := newFleet(t)
	f.serving()
	f.workload("cart", 4)
	f.workload("single", 1)
	before := f.everything()
	for name, test := range map[string]struct {
		file  string
		code  int
		words []string
	}{
		"nothing": {f.proposal("D4", "replicas: 2"), 0, []string{"prod-general in cluster prod: Nothing", "Done, Ready: pool genera"}},
		"in place": {f.proposal("D4", "replicas: 2", "labels: {team: shop}"), 2, []string{
			": Changes", "labels", "<none>", "team=shop", "InPlace", "Moving, UpdatingInPlace", "UpdatePool genera",
		}},
		"replacement": {f.proposal("D8", "replicas: 2"), 2, []string{
			": Changes", "machineType", "D4", "D8", "Replace", "CreatePool genera", "FullGreen",
			"2 nodes of pool genera", "2 nodes now, 4 at the peak, 950 allowed", "5 move, 0 stay",
			"ReplicaSet " + f.namespace + "/single has a single pod and no PodDisruptionBudget",
		}},
		"no opinion any more": {f.proposal("D4"), 0, []string{": Nothing"}},
		"an entry taken out": {strings.Replace(f.proposal("D4", "replicas: 2"), "  tags: {owner: shop}\n", "", 1), 2, []string{
			": Changes", "tags", "owner=shop", "<none>", "InPlace",
		}},
		"a new Nodepool": {strings.Replace(f.proposal("D4", "replicas: 1"), "prod-general", "prod-batch", 1), 2, []string{
			"prod-batch in cluster prod, which is new: Changes", "Create\n", "CreatePool batch",
		}},
		"no such cluster": {strings.NewReplacer("prod-general", "prod-batch", "clusterName: prod", "clusterName: other").Replace(f.proposal("D4")), 3, []string{
			": Blocked", "Stuck, ClusterNotFound",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.run("plan", "-f", f.write("nodepool.yaml", test.file))
			a.expect(t, test.code, a.out, test.words...)
		})
	}
	if diff := cmp.Diff(before, f.everything()); diff != "" {
		t.Errorf("planning wrote something:\n%s", diff)
	}

	f.neverBudget("cart", 4)
	a := f.run("plan", "-f", f.write("nodepool.yaml", f.proposal("D8", "replicas: 2")))
	a.expect(t, 3, a.out, ": Blocked", "besides 1 chain without an end in sight", "PodDisruptionBudget "+f.namespace+"/cart of ReplicaSet "+f.namespace+"/cart",
		"4 pods of ReplicaSet "+f.namespace+"/cart cannot leave until it is changed or the workload scaled up")
}

// The drain policy that counts is the proposed one, and what the namespace's MachineDrainRules add to it.
func TestPlanCountsTheProposedDrainPolicy(t *testing.T) {
	f := newFleet(t)
	f.serving()
	f.workload("cart", 4)
	f.workload("single", 1)
	skip := "drain: {rules: [{name: single, behavior: Skip, pods: [{selector: {matchLabels: {app: single}}}]}]}"
	plan := func(words string, more ...string) {
		t.Helper()
		a := f.run("plan", "-f", f.write("nodepool.yaml", f.proposal("D8", append(more, "replicas: 2")...)))
		a.expect(t, 2, a.out, words)
	}
	plan("5 move, 0 stay")
	plan("4 move, 1 stay", skip)
	create(t, &clusterv1.MachineDrainRule{
		ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: f.namespace},
		Spec: clusterv1.MachineDrainRuleSpec{
			Drain: clusterv1.MachineDrainRuleDrainConfig{Behavior: clusterv1.MachineDrainRuleDrainBehaviorSkip},
			Pods:  []clusterv1.MachineDrainRulePodSelector{{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "cart"}}}},
		},
	})
	plan("1 moves, 4 stay")
	plan("0 move, 5 stay", skip)

	a := f.run("plan", "-f", f.write("nodepool.yaml", f.proposal("D4", "replicas: 2", skip)))
	a.expect(t, 0, a.out, ": Nothing")
}

// A Freeze of the operator's own namespace reaches the fleet, wherever that is; one elsewhere does not reach this cluster.
func TestPlanSaysWhoHoldsAChangeBack(t *testing.T) {
	f := newFleet(t)
	f.serving()
	operator := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "operator-"}}
	create(t, operator)
	create(t, &fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Name: "black-friday", Namespace: operator.Name},
		Spec: fleetwrightv1.FreezeSpec{
			Scope: fleetwrightv1.FreezeScopeAll, Reconcile: fleetwrightv1.FreezeModeNonDisruptive, Reason: "no risk this week",
			Until: &metav1.Time{Time: time.Now().Add(time.Hour)},
		},
	})
	file := f.write("nodepool.yaml", f.proposal("D8", "replicas: 2"))
	a := f.run("plan", "-f", file)
	a.expect(t, 2, a.out, "Moving, CreatingGreen")
	a = f.run("plan", "-f", file, "--operator-namespace", operator.Name)
	a.expect(t, 2, a.out, "Held, Frozen: Freeze "+operator.Name+"/black-friday (NonDisruptive) until ", "no risk this week; held back: creates pool")
	if strings.Contains(a.out, "Action:") {
		t.Errorf("there is an action although it is held back:\n%s", a.out)
	}
}

// everything is what planning could have written, by version.
func (f *fleet) everything() map[string]string {
	f.t.Helper()
	versions := map[string]string{}
	for _, list := range []client.ObjectList{&fleetwrightv1.NodepoolList{}, &clusterv1.MachinePoolList{}, &corev1.NodeList{}, &corev1.PodList{}} {
		options := []client.ListOption{client.InNamespace(f.namespace)}
		if _, nodes := list.(*corev1.NodeList); nodes {
			options = []client.ListOption{client.MatchingLabels{"fleet": f.namespace}}
		}
		if err := server.List(f.t.Context(), list, options...); err != nil {
			f.t.Fatal(err)
		}
		var items []client.Object
		switch l := list.(type) {
		case *fleetwrightv1.NodepoolList:
			items = pointers(l.Items, func(o *fleetwrightv1.Nodepool) client.Object { return o })
		case *clusterv1.MachinePoolList:
			items = pointers(l.Items, func(o *clusterv1.MachinePool) client.Object { return o })
		case *corev1.NodeList:
			items = pointers(l.Items, func(o *corev1.Node) client.Object { return o })
		case *corev1.PodList:
			items = pointers(l.Items, func(o *corev1.Pod) client.Object { return o })
		}
		for _, o := range items {
			versions[string(o.GetUID())] = o.GetName() + " " + o.GetResourceVersion()
		}
	}
	return versions
}

func pointers[T any](items []T, object func(*T) client.Object) []client.Object {
	out := make([]client.Object, 0, len(items))
	for i := range items {
		out = append(out, object(&items[i]))
	}
	return out
}

func TestPlanReadsAsKubectlDoes(t *testing.T) {
	f := newFleet(t)
	f.serving()
	other := "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: not-installed}\n---\n"
	second := strings.Replace(f.proposal("D4", "replicas: 1"), "prod-general", "prod-batch", 1)
	files := f.write("all.yaml", f.proposal("D8", "replicas: 2")+other+second)

	a := f.run("plan", "-f", files)
	a.expect(t, 2, a.err, "skipped 1 Deployment, 1 Kustomization: only Nodepools are planned\n")
	a.expect(t, 2, a.out, "2 Nodepools: 2 Changes")

	a = f.runWith(f.proposal("D4", "replicas: 2"), "plan", "-f", "-", "-o", "json")
	var document struct {
		APIVersion, Kind, Outcome string
		AzureChecked              bool
		Items                     []struct{ Namespace, Name, Cluster, Outcome string }
	}
	if err := json.Unmarshal([]byte(a.out), &document); err != nil || a.code != 0 {
		t.Fatalf("exit code %d, %v:\n%s%s", a.code, err, a.out, a.err)
	}
	if document.Kind != "NodepoolPlanList" || document.Outcome != "Nothing" || document.AzureChecked || len(document.Items) != 1 ||
		document.Items[0].Namespace != f.namespace || document.Items[0].Cluster != "prod" {
		t.Errorf("document %+v", document)
	}

	elsewhere := strings.Replace(f.proposal("D4"), "name: prod-general", "name: prod-general\n  namespace: elsewhere", 1)
	a = f.run("plan", "-f", f.write("elsewhere.yaml", elsewhere))
	a.expect(t, 1, a.err, `the namespace from the provided object "elsewhere" does not match the namespace`)
}

func TestPlanRefusesBadInput(t *testing.T) {
	f := newFleet(t)
	f.serving()
	good := f.write("good.yaml", f.proposal("D4"))
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no file":           {nil, "say what is proposed: -f FILE"},
		"missing file":      {[]string{"-f", "missing.yaml"}, `the path "missing.yaml" does not exist`},
		"invalid YAML":      {[]string{"-f", f.write("bad.yaml", "kind: Nodepool\n  a: [")}, "bad.yaml"},
		"no Nodepool":       {[]string{"-f", f.write("other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")}, "there is no Nodepool (fleetwright.io/v1alpha1) in what was read, which is 1 object"},
		"format":            {[]string{"-f", good, "-o", "xml"}, `--output "xml" is none of text, json, markdown`},
		"argument":          {[]string{good}, "unknown command"},
		"rule":              {[]string{"-f", f.write("rule.yaml", f.proposal("D4", "scaling: {min: 3, max: 1}"))}, "scaling.min must not be greater than scaling.max"},
		"schema":            {[]string{"-f", f.write("schema.yaml", f.proposal("D4", "maxPods: 3"))}, "spec.maxPods"},
		"unknown field":     {[]string{"-f", f.write("field.yaml", f.proposal("D4", "machineTyp: D8"))}, `unknown field "spec.machineTyp"`},
		"immutable field":   {[]string{"-f", f.write("moved.yaml", strings.Replace(f.proposal("D4"), "clusterName: prod", "clusterName: dev", 1))}, "clusterName is immutable: create another Nodepool"},
		"unknown context":   {[]string{"-f", good, "--context", "nowhere"}, `context "nowhere" does not exist`},
		"unknown namespace": {[]string{"-f", good, "--namespace", "nowhere"}, `namespaces "nowhere" not found`},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.run(append([]string{"plan"}, test.args...)...)
			a.expect(t, 1, a.err, "error: ", test.says)
			if a.out != "" {
				t.Errorf("printed %s", a.out)
			}
		})
	}
	// What is refused shows in a pull request, beside what is not.
	a := f.run("plan", "-o", "markdown", "-f", f.write("rule.yaml", f.proposal("D4", "scaling: {min: 3, max: 1}")), "-f", good)
	a.expect(t, 1, a.out, "1 Error, 1 Nothing", "scaling.min must not be greater than scaling.max")
}

// A cluster that does not answer is not one where nothing is to be done.
func TestPlanSaysWhenAClusterCannotBeRead(t *testing.T) {
	f := newFleet(t)
	f.serving()
	closed := closedPort(t)
	var secret corev1.Secret
	if err := server.Get(t.Context(), types.NamespacedName{Namespace: f.namespace, Name: "prod-kubeconfig"}, &secret); err != nil {
		t.Fatal(err)
	}
	secret.Data["value"] = kubeconfig(t, closed)
	if err := server.Update(t.Context(), &secret); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"nothing changes": f.proposal("D4", "replicas: 2"), "replacement": f.proposal("D8", "replicas: 2")} {
		t.Run(name, func(t *testing.T) {
			a := f.run("plan", "-f", f.write("nodepool.yaml", file))
			a.expect(t, 1, a.err, "cluster "+f.namespace+"/prod cannot be read from here", "is not known")
			a.expect(t, 1, a.out, "prod-general in cluster prod: Unknown", "Not read")
		})
	}

	f.kubeconfig = f.write("closed", string(kubeconfig(t, closed)))
	a := f.run("plan", "-f", f.write("nodepool.yaml", f.proposal("D4")))
	a.expect(t, 1, a.err, "the management cluster does not answer", "--context")
}

// closedPort is an address where nobody answers.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "https://" + listener.Addr().String()
}

// The rights that docs/kubectl-plugin.md lists are enough for both commands.
func TestDocumentedRightsAreEnough(t *testing.T) {
	f := newFleet(t)
	f.serving()
	page, err := os.ReadFile("../../docs/kubectl-plugin.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\napiVersion: rbac.authorization.k8s.io/v1\n")
	text, _, found := strings.Cut("apiVersion: rbac.authorization.k8s.io/v1\n"+text, "```")
	if !found {
		t.Fatal("the page lists no rights")
	}
	var roles [2]rbacv1.ClusterRole
	for i, one := range strings.Split(text, "\n---\n") {
		if err := yaml.Unmarshal([]byte(one), &roles[i]); err != nil {
			t.Fatal(err)
		}
		roles[i].Name += "-" + f.namespace
		create(t, &roles[i])
	}
	subjects := []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: f.namespace + "-bot"}}
	create(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "plan", Namespace: f.namespace}, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: roles[0].Name},
	})
	create(t, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: roles[1].Name}, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: roles[1].Name},
	})
	as := []string{"--as", f.namespace + "-bot"}
	a := f.run(append(as, "plan", "-f", f.write("nodepool.yaml", f.proposal("D8", "replicas: 2")))...)
	a.expect(t, 2, a.out, "Moving, CreatingGreen", "Leaving:")
	added := strings.Replace(f.proposal("D8", "replicas: 2"), "prod-general", "prod-batch", 1)
	a = f.run(append(as, "plan", "-f", f.write("added.yaml", added))...)
	a.expect(t, 2, a.out, "Moving, CreatingGreen")
	a = f.run(append(as, "status", "prod-general")...)
	a.expect(t, 0, a.out, "UpToDate")
	if strings.Contains(a.out, "cannot be read") {
		t.Errorf("events cannot be read:\n%s", a.out)
	}
	a = f.run("--as", "nobody", "plan", "-f", f.write("nodepool.yaml", f.proposal("D8")))
	a.expect(t, 1, a.err, "forbidden")
}
