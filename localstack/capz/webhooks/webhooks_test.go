package webhooks

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
)

func pool(change func(*infrav1.AzureManagedMachinePool)) *infrav1.AzureManagedMachinePool {
	p := &infrav1.AzureManagedMachinePool{ObjectMeta: metav1.ObjectMeta{Name: "pool0", Namespace: "default"}}
	p.Spec.Mode, p.Spec.SKU = "User", "Standard_D4s_v5"
	if change != nil {
		change(p)
	}
	return p
}

func plane(t *testing.T) *infrav1.AzureManagedControlPlane {
	t.Helper()
	p := &infrav1.AzureManagedControlPlane{ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: "default"}}
	p.Spec.ResourceGroupName, p.Spec.Location, p.Spec.Version = "rg", "westeurope", "1.34.1"
	p.Spec.SSHPublicKey = ptr.To("")
	if err := (&controlPlaneWebhook{}).Default(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// refusal checks what an admission said: want "" means allowed.
func refusal(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestPoolDefaults(t *testing.T) {
	p := pool(nil)
	if err := (&poolWebhook{}).Default(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if ptr.Deref(p.Spec.Name, "") != "pool0" || ptr.Deref(p.Spec.OSType, "") != "Linux" || p.Labels[infrav1.LabelAgentPoolMode] != "User" {
		t.Errorf("defaults: %+v, labels %v", p.Spec, p.Labels)
	}
}

func TestPoolCreate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*infrav1.AzureManagedMachinePool)
		want   string
	}{
		"good":            {nil, ""},
		"long Linux name": {func(p *infrav1.AzureManagedMachinePool) { p.Spec.Name = ptr.To("abcdefghijklm") }, "Invalid value: \"Linux\": For OSType Linux, spec.name can not be longer than 12 characters."},
		"long metadata":   {func(p *infrav1.AzureManagedMachinePool) { p.Name = "abcdefghijklm" }, "when spec.name is empty, metadata.name can not be longer than 12 characters."},
		"long Windows": {func(p *infrav1.AzureManagedMachinePool) {
			p.Spec.Name, p.Spec.OSType = ptr.To("abcdefg"), ptr.To("Windows")
		}, "For OSType Windows, spec.name can not be longer than 6 characters."},
		"upper case":     {func(p *infrav1.AzureManagedMachinePool) { p.Spec.Name = ptr.To("Pool") }, "spec.name must begin with a lowercase letter."},
		"dash":           {func(p *infrav1.AzureManagedMachinePool) { p.Spec.Name = ptr.To("po-ol") }, "spec.name may only contain lowercase alphanumeric characters."},
		"few pods":       {func(p *infrav1.AzureManagedMachinePool) { p.Spec.MaxPods = ptr.To(9) }, "MaxPods must be between 10 and 250"},
		"Windows System": {func(p *infrav1.AzureManagedMachinePool) { p.Spec.Mode, p.Spec.OSType = "System", ptr.To("Windows") }, "System node pooll must have OSType 'Linux'"},
		"label of AKS": {func(p *infrav1.AzureManagedMachinePool) {
			p.Spec.NodeLabels = map[string]string{"kubernetes.azure.com/x": "y"}
		}, "Node pool label key must not start with kubernetes.azure.com"},
		"public IP prefix": {func(p *infrav1.AzureManagedMachinePool) { p.Spec.NodePublicIPPrefixID = ptr.To("x") }, "resource ID must match"},
		"subnet name":      {func(p *infrav1.AzureManagedMachinePool) { p.Spec.SubnetName = ptr.To("-") }, "name of subnet doesn't match regex"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&poolWebhook{}).ValidateCreate(t.Context(), pool(test.change))
			refusal(t, err, test.want)
		})
	}
}

func TestPoolUpdate(t *testing.T) {
	for name, test := range map[string]struct {
		old, change func(*infrav1.AzureManagedMachinePool)
		want        string
	}{
		"labels":             {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.NodeLabels = map[string]string{"a": "b"} }, ""},
		"scaling":            {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.Scaling = &infrav1.ManagedMachinePoolScaling{} }, ""},
		"sku":                {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.SKU = "Standard_D8s_v5" }, "spec.sku: Invalid value: \"Standard_D8s_v5\": field is immutable"},
		"disk set later":     {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.OSDiskSizeGB = ptr.To(64) }, "spec.osDiskSizeGB: Invalid value: 64: field is immutable, unable to assign a value if it was already empty"},
		"disk unset":         {func(p *infrav1.AzureManagedMachinePool) { p.Spec.OSDiskSizeGB = ptr.To(64) }, nil, "field is immutable, unable to set an empty value if it was already set"},
		"subnet set once":    {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.SubnetName = ptr.To("nodes") }, ""},
		"subnet changed":     {func(p *infrav1.AzureManagedMachinePool) { p.Spec.SubnetName = ptr.To("a") }, func(p *infrav1.AzureManagedMachinePool) { p.Spec.SubnetName = ptr.To("b") }, "spec.subnetName: Invalid value: \"b\": field is immutable"},
		"zones":              {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.AvailabilityZones = []string{"1"} }, "spec.availabilityZones: Invalid value: [\"1\"]: field is immutable"},
		"zones in any order": {func(p *infrav1.AzureManagedMachinePool) { p.Spec.AvailabilityZones = []string{"2", "1"} }, func(p *infrav1.AzureManagedMachinePool) { p.Spec.AvailabilityZones = []string{"1", "2"} }, ""},
		"spot":               {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.ScaleSetPriority = ptr.To("Spot") }, "spec.scaleSetPriority"},
		"max pods":           {nil, func(p *infrav1.AzureManagedMachinePool) { p.Spec.MaxPods = ptr.To(50) }, "spec.maxPods"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&poolWebhook{}).ValidateUpdate(t.Context(), pool(test.old), pool(test.change))
			refusal(t, err, test.want)
		})
	}
}

func TestLastSystemPoolStays(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clusterv1.AddToScheme, infrav1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	system := func(name string) *infrav1.AzureManagedMachinePool {
		return pool(func(p *infrav1.AzureManagedMachinePool) {
			p.Name, p.Spec.Mode = name, "System"
			p.Labels = map[string]string{clusterv1.ClusterNameLabel: "demo", infrav1.LabelAgentPoolMode: "System"}
		})
	}
	cluster := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: "default"}}
	deleted := cluster.DeepCopy()
	deleted.DeletionTimestamp, deleted.Finalizers = ptr.To(metav1.Now()), []string{"x"}
	for name, test := range map[string]struct {
		objects []client.Object
		want    string
	}{
		"the last":               {[]client.Object{cluster, system("a")}, "AKS Cluster must have at least one system pool"},
		"one of two":             {[]client.Object{cluster, system("a"), system("b")}, ""},
		"with the whole cluster": {[]client.Object{deleted, system("a")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := &poolWebhook{client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(test.objects...).Build()}
			_, err := w.ValidateDelete(t.Context(), system("a"))
			refusal(t, err, test.want)
			user := system("a")
			user.Spec.Mode = "User"
			_, err = w.ValidateUpdate(t.Context(), system("a"), user)
			if test.want != "" {
				refusal(t, err, "Cannot change node pool mode to User, you must have at least one System node pool in your cluster")
			}
		})
	}
}

func TestControlPlaneDefaults(t *testing.T) {
	p := plane(t)
	got := []string{
		p.Spec.Version, string(p.Spec.SKU.Tier), p.Spec.NodeResourceGroupName, ptr.Deref(p.Spec.DNSPrefix, ""),
		p.Spec.VirtualNetwork.Name, p.Spec.VirtualNetwork.ResourceGroup, p.Spec.VirtualNetwork.CIDRBlock,
		p.Spec.VirtualNetwork.Subnet.Name, p.Spec.VirtualNetwork.Subnet.CIDRBlock,
	}
	want := []string{"v1.34.1", "Free", "MC_rg_demo_westeurope", "demo", "demo", "rg", "10.0.0.0/8", "demo", "10.240.0.0/16"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if key, err := base64.StdEncoding.DecodeString(*p.Spec.SSHPublicKey); err != nil || !strings.HasPrefix(string(key), "ssh-rsa ") {
		t.Errorf("SSH key %q, %v", key, err)
	}
}

func TestControlPlaneUpdate(t *testing.T) {
	old := plane(t)
	for name, test := range map[string]struct {
		change func(*infrav1.AzureManagedControlPlane)
		want   string
	}{
		"version up":    {func(p *infrav1.AzureManagedControlPlane) { p.Spec.Version = "v1.34.2" }, ""},
		"version down":  {func(p *infrav1.AzureManagedControlPlane) { p.Spec.Version = "v1.33.6" }, "field version cannot be downgraded"},
		"not a version": {func(p *infrav1.AzureManagedControlPlane) { p.Spec.Version = "v2" }, "must be a valid semantic version"},
		"location":      {func(p *infrav1.AzureManagedControlPlane) { p.Spec.Location = "westus2" }, "spec.location: Invalid value: \"westus2\": field is immutable"},
		"network":       {func(p *infrav1.AzureManagedControlPlane) { p.Spec.VirtualNetwork.CIDRBlock = "10.0.0.0/9" }, "Virtual Network CIDRBlock is immutable"},
		"autoscaler":    {func(p *infrav1.AzureManagedControlPlane) { p.Spec.AutoScalerProfile = &infrav1.AutoScalerProfile{} }, ""},
		"private cluster": {func(p *infrav1.AzureManagedControlPlane) {
			p.Spec.APIServerAccessProfile = &infrav1.APIServerAccessProfile{APIServerAccessProfileClassSpec: infrav1.APIServerAccessProfileClassSpec{EnablePrivateCluster: ptr.To(true)}}
		}, "fields (except for AuthorizedIPRanges) are immutable"},
		"who may connect": {func(p *infrav1.AzureManagedControlPlane) {
			p.Spec.APIServerAccessProfile = &infrav1.APIServerAccessProfile{AuthorizedIPRanges: []string{"1.2.3.4/32"}}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			changed := old.DeepCopy()
			test.change(changed)
			_, err := (&controlPlaneWebhook{}).ValidateUpdate(t.Context(), old, changed)
			refusal(t, err, test.want)
		})
	}
}
