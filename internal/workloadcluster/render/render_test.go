package render_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const networkID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/prod-eu-1/providers/Microsoft.Network/virtualNetworks/prod-eu-1"

// prod is a cluster with something in every section.
func prod() render.Input {
	return render.Input{
		Namespace: "prod", Name: "prod-eu-1", Labels: map[string]string{"team": "shop", "app.kubernetes.io/instance": "clusters"},
		AddonLabels: map[string]string{"addons.fleetwright.io/agent": "enabled"}, Version: "v1.34.2",
		Effective: effective.Effective{Spec: fleetwrightv1.WorkloadClusterTemplate{
			Version: "v1.34.2", Flavor: fleetwrightv1.WorkloadClusterFlavorASO,
			Azure: fleetwrightv1.WorkloadClusterAzure{
				SubscriptionID: "00000000-0000-0000-0000-000000000001", Location: "westeurope", ResourceGroup: "prod-eu-1",
				ResourceGroupPolicy: fleetwrightv1.ResourceGroupPolicyKeep, Tier: fleetwrightv1.AKSTierStandard, Tags: map[string]string{"team": "shop"},
				CredentialSecret: "aso", ClusterIdentity: fleetwrightv1.NamespacedReference{Name: "capz", Namespace: "platform"},
			},
			Network: fleetwrightv1.WorkloadClusterNetwork{
				Mode: fleetwrightv1.NetworkModeOverlay, Dataplane: fleetwrightv1.NetworkDataplaneCilium, Outbound: fleetwrightv1.NetworkOutboundNATGateway,
				Addresses: []fleetwrightv1.WorkloadClusterRange{{Name: fleetwrightv1.ClusterRangeVNet, PoolRef: fleetwrightv1.NamespacedReference{Name: "corp", Namespace: "platform"}}},
			},
			Limits: fleetwrightv1.WorkloadClusterLimits{MaxNodes: 950},
			Nodepools: []fleetwrightv1.WorkloadClusterNodepool{
				{Name: "system", Spec: fleetwrightv1.NodepoolTemplateSpec{Mode: fleetwrightv1.NodepoolModeSystem, MachineType: "Standard_D4s_v5", Replicas: new(int32(3))}},
				{Name: "general", Spec: fleetwrightv1.NodepoolTemplateSpec{
					Mode: fleetwrightv1.NodepoolModeUser, MachineType: "Standard_D8s_v5", Labels: map[string]fleetwrightv1.LabelValue{"tier": "general"},
					Scaling: fleetwrightv1.NodepoolScaling{Min: new(int32(2)), Max: 20}, ProviderOverrides: &runtime.RawExtension{Raw: []byte(`{"kubeletConfig":{"podMaxPids":4096}}`)},
				}},
			},
			AdditionalConfig: fleetwrightv1.WorkloadClusterAdditionalConfig{
				Registries:  []fleetwrightv1.AdditionalRegistry{{Name: "shared", ID: "/subscriptions/s/resourceGroups/r/providers/Microsoft.ContainerRegistry/registries/shared"}},
				DriftPolicy: fleetwrightv1.DriftPolicyHeal,
			},
			Tenancy:     fleetwrightv1.WorkloadClusterTenancy{Mode: fleetwrightv1.TenancyModeShared},
			Maintenance: fleetwrightv1.MaintenancePolicy{Windows: []fleetwrightv1.MaintenanceWindow{{Name: "night", Schedule: "0 22 * * 1-4"}}},
			ProviderOverrides: &runtime.RawExtension{
				Raw: []byte(`{"oidcIssuerProfile":{"enabled":true},"apiServerAccessProfile":{"authorizedIPRanges":["203.0.113.0/24"]}}`),
			},
		}},
		Bound: []fleetwrightv1.BoundRange{
			{Name: "nodes", CIDR: "10.64.0.0/21"}, {Name: "pods", CIDR: "100.64.0.0/13"}, {Name: "services", CIDR: "100.96.0.0/16"}, {Name: "vnet", CIDR: "10.64.0.0/21"},
		},
		NetworkID: networkID,
	}
}

// managed is the same with the other flavour.
func managed() render.Input {
	in := prod()
	in.Effective.Spec.Flavor = fleetwrightv1.WorkloadClusterFlavorManaged
	return in
}

// children are all objects that an input amounts to, by name.
func children(t *testing.T, in render.Input) map[string]any {
	t.Helper()
	claim, err := render.Claim(in)
	if err != nil {
		t.Fatal(err)
	}
	wish, err := render.Cluster(in)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{"AddressClaim": claim, "Cluster": wish, "AzureClusterAdditionalConfig": render.Config(in)}
	for _, p := range in.Effective.Spec.Nodepools {
		out["Nodepool "+render.NodepoolName(in.Name, p.Name)] = render.Nodepool(in, p, in.Version)
	}
	return out
}

func TestChildrenOfAWholeCluster(t *testing.T) {
	single := prod()
	single.Effective.Spec.Tenancy = fleetwrightv1.WorkloadClusterTenancy{Mode: fleetwrightv1.TenancyModeSingle, Tenant: "prod"}
	small := prod()
	small.Bound, small.NetworkID = nil, ""
	small.Effective.Spec.Network = fleetwrightv1.WorkloadClusterNetwork{Mode: fleetwrightv1.NetworkModeOverlay}
	small.Effective.Spec.AdditionalConfig = fleetwrightv1.WorkloadClusterAdditionalConfig{}
	for name, in := range map[string]render.Input{"aso": prod(), "managed": managed(), "single": single, "without-addresses": small} {
		t.Run(name, func(t *testing.T) {
			before := marshal(t, in)
			golden(t, name, marshal(t, children(t, in)))
			if diff := cmp.Diff(before, marshal(t, in)); diff != "" {
				t.Errorf("the input was changed: %s", diff)
			}
		})
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got, -update rewrites:\n%s", diff)
	}
}

func TestOneFieldChangesOneChild(t *testing.T) {
	const pool, config, cluster, claim = "Nodepool prod-eu-1-general", "AzureClusterAdditionalConfig", "Cluster", "AddressClaim"
	all := []string{pool, "Nodepool prod-eu-1-system"}
	type spec = fleetwrightv1.WorkloadClusterTemplate
	for name, test := range map[string]struct {
		change func(s *spec, in *render.Input)
		want   []string
	}{
		"machine type of a pool":      {func(s *spec, _ *render.Input) { s.Nodepools[1].Spec.MachineType = "Standard_D16s_v5" }, []string{pool}},
		"overrides of a pool":         {func(s *spec, _ *render.Input) { s.Nodepools[1].Spec.ProviderOverrides = nil }, []string{pool}},
		"MachinePools to adopt":       {func(s *spec, _ *render.Input) { s.Nodepools[1].MachinePools = []string{"old"} }, []string{pool}},
		"a registry":                  {func(s *spec, _ *render.Input) { s.AdditionalConfig.Registries[0].ID += "2" }, []string{config}},
		"drift policy":                {func(s *spec, _ *render.Input) { s.AdditionalConfig.DriftPolicy = fleetwrightv1.DriftPolicyReport }, []string{config}},
		"id of the network":           {func(_ *spec, in *render.Input) { in.NetworkID = "" }, []string{config}},
		"tier":                        {func(s *spec, _ *render.Input) { s.Azure.Tier = fleetwrightv1.AKSTierFree }, []string{cluster}},
		"policy of the group":         {func(s *spec, _ *render.Input) { s.Azure.ResourceGroupPolicy = fleetwrightv1.ResourceGroupPolicyDelete }, []string{cluster}},
		"overrides":                   {func(s *spec, _ *render.Input) { s.ProviderOverrides = nil }, []string{cluster}},
		"an add-on's turn":            {func(_ *spec, in *render.Input) { in.AddonLabels = nil }, []string{cluster}},
		"a label":                     {func(_ *spec, in *render.Input) { in.Labels = nil }, []string{cluster}},
		"a pool of addresses":         {func(s *spec, _ *render.Input) { s.Network.Addresses[0].PoolRef.Name = "other" }, []string{claim}},
		"maintenance of all":          {func(s *spec, _ *render.Input) { s.Maintenance = fleetwrightv1.MaintenancePolicy{} }, all},
		"what is bound for the nodes": {func(_ *spec, in *render.Input) { in.Bound[0].CIDR = "10.64.8.0/21" }, []string{cluster}},
		"reconcile": {
			func(_ *spec, in *render.Input) { in.Reconcile = fleetwrightv1.ReconcileModePaused }, append([]string{claim, config}, all...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := prod()
			before := children(t, prod())
			test.change(&in.Effective.Spec, &in)
			after := children(t, in)
			var changed []string
			for _, child := range slices.Sorted(maps.Keys(after)) {
				if !reflect.DeepEqual(before[child], after[child]) {
					changed = append(changed, child)
				}
			}
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, changed); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every field of a template arrives in the Nodepool: one that was forgotten would be a wish that nobody hears.
func TestEveryFieldOfATemplateArrives(t *testing.T) {
	pool := fleetwrightv1.WorkloadClusterNodepool{Name: "general"}
	template := reflect.ValueOf(&pool.Spec).Elem()
	for _, field := range template.Fields() {
		fill(t, field)
	}
	pool.Spec.Subnet, pool.Spec.PodSubnet = "a", "b"
	out := reflect.ValueOf(render.Nodepool(prod(), pool, "v1.33.1"))
	for field, value := range template.Fields() {
		if field.Name == "Version" {
			continue
		}
		if got := out.FieldByName(field.Name).Interface(); !reflect.DeepEqual(value.Interface(), got) {
			t.Errorf("%s: %v became %v", field.Name, value.Interface(), got)
		}
	}
	if got := out.FieldByName("Version").String(); got != "v1.33.1" {
		t.Errorf("version %s", got)
	}
}

// fill puts something into a value that shows that it was carried over.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*metav1.Time]() {
			v.Set(reflect.ValueOf(&metav1.Time{}))
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		if v.Type().Elem().Kind() != reflect.Struct {
			fill(t, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, value)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for field, value := range v.Fields() {
			if value.CanSet() && field.IsExported() {
				fill(t, value)
			}
		}
	default:
		t.Fatalf("kind %s is not known to this test", v.Kind())
	}
}

func TestAWishHasPlainJSONInItsOverrides(t *testing.T) {
	in := prod()
	in.Effective.Spec.ProviderOverrides = &runtime.RawExtension{Raw: []byte(`{"a":{"b":1}}`)}
	wish, err := render.Cluster(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"a": map[string]any{"b": int64(1)}}, runtime.DeepCopyJSON(wish.Overrides)); diff != "" {
		t.Error(diff)
	}
	in.Effective.Spec.ProviderOverrides = &runtime.RawExtension{Raw: []byte(`[1]`)}
	if _, err := render.Cluster(in); err == nil || !strings.HasPrefix(err.Error(), "providerOverrides: ") {
		t.Errorf("got %v", err)
	}
}
