//go:build realcapz

package realcapz_test

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tries are edits that are sent with dry run: admission answers, nothing changes. Some are refused and some are not.
var tries = []struct {
	kind       schema.GroupVersionKind
	name, body string
}{
	{azurePool, "twin-user", `{"spec":{"name":"other"}}`},
	{azurePool, "twin-user", `{"spec":{"sku":"Standard_D8ds_v5"}}`},
	{azurePool, "twin-user", `{"spec":{"osType":"Windows"}}`},
	{azurePool, "twin-user", `{"spec":{"osDiskSizeGB":128}}`},
	{azurePool, "twin-user", `{"spec":{"osDiskType":"Ephemeral"}}`},
	{azurePool, "twin-user", `{"spec":{"subnetName":"other"}}`},
	{azurePool, "twin-user", `{"spec":{"maxPods":60}}`},
	{azurePool, "twin-user", `{"spec":{"availabilityZones":["3"]}}`},
	{azurePool, "twin-user", `{"spec":{"scaleSetPriority":"Spot"}}`},
	{azurePool, "twin-user", `{"spec":{"enableFIPS":true}}`},
	{azurePool, "twin-user", `{"spec":{"enableEncryptionAtHost":true}}`},
	{azurePool, "twin-user", `{"spec":{"enableUltraSSD":true}}`},
	{azurePool, "twin-user", `{"spec":{"enableNodePublicIP":true}}`},
	{azurePool, "twin-user", `{"spec":{"kubeletDiskType":"Temporary"}}`},
	{azurePool, "twin-user", `{"spec":{"kubeletConfig":{"cpuCfsQuota":true}}}`},
	{azurePool, "twin-user", `{"spec":{"linuxOSConfig":{"swapFileSizeMB":1}}}`},
	{azurePool, "twin-user", `{"spec":{"sku":"Standard_D8ds_v5","maxPods":60}}`},
	{azurePool, "twin-user", `{"spec":{"nodeLabels":{"kubernetes.azure.com/x":"y"}}}`},
	{azurePool, "twin-user", `{"spec":{"nodeLabels":{"example.com/x":"y"}}}`},
	{azurePool, "twin-user", `{"spec":{"mode":"System"}}`},
	{azurePool, "twin-system", `{"spec":{"mode":"User"}}`},
	{azurePool, "twin-user", `{"spec":{"scaling":{"minSize":1,"maxSize":3}}}`},
	{controlPlane, "twin", `{"spec":{"location":"northeurope"}}`},
	{controlPlane, "twin", `{"spec":{"resourceGroupName":"other"}}`},
	{controlPlane, "twin", `{"spec":{"nodeResourceGroupName":"other"}}`},
	{controlPlane, "twin", `{"spec":{"subscriptionID":"00000000-0000-0000-0000-000000000002"}}`},
	{controlPlane, "twin", `{"spec":{"networkPlugin":"kubenet"}}`},
	{controlPlane, "twin", `{"spec":{"networkPolicy":"calico"}}`},
	{controlPlane, "twin", `{"spec":{"dnsPrefix":"other"}}`},
	{controlPlane, "twin", `{"spec":{"loadBalancerSKU":"Basic"}}`},
	{controlPlane, "twin", `{"spec":{"version":"v1.33.6"}}`},
	{controlPlane, "twin", `{"spec":{"version":"newest"}}`},
	{controlPlane, "twin", `{"spec":{"autoscalerProfile":{"scanInterval":"fast"}}}`},
	{controlPlane, "twin", `{"spec":{"version":"v1.34.2"}}`},
}

// births are pools that are created with dry run.
var births = []string{
	`{"spec":{"mode":"User","name":"thirteencharsx","sku":"Standard_D2ds_v5"}}`,
	`{"spec":{"mode":"User","name":"windowsx","osType":"Windows","sku":"Standard_D2ds_v5"}}`,
	`{"spec":{"mode":"System","name":"winsys","osType":"Windows","sku":"Standard_D2ds_v5"}}`,
	`{"spec":{"mode":"User","name":"fewpods","maxPods":5,"sku":"Standard_D2ds_v5"}}`,
	`{"spec":{"mode":"User","name":"azlabel","sku":"Standard_D2ds_v5","nodeLabels":{"kubernetes.azure.com/x":"y"}}}`,
	`{"spec":{"mode":"System","name":"spotsys","scaleSetPriority":"Spot","sku":"Standard_D2ds_v5"}}`,
	`{"spec":{"mode":"User","name":"fine","sku":"Standard_D2ds_v5"}}`,
}

// answers are the words of admission, by what was tried.
func (w *twin) answers() map[string]string {
	w.t.Helper()
	answers := map[string]string{}
	for _, try := range tries {
		answers["patch "+try.kind.Kind+" "+try.name+" "+try.body] = words(w.patch(try.kind, try.name, try.body, client.DryRunAll))
	}
	for _, body := range births {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON([]byte(`{"apiVersion":"infrastructure.cluster.x-k8s.io/v1beta1","kind":"AzureManagedMachinePool",` +
			`"metadata":{"namespace":"default","name":"born","labels":{"cluster.x-k8s.io/cluster-name":"twin"}},` + body[1:])); err != nil {
			w.t.Fatal(err)
		}
		err := w.client.Create(w.t.Context(), object, client.DryRunAll)
		answers["create "+body] = words(err)
		if err == nil {
			content, _, _ := unstructured.NestedMap(object.Object, "spec")
			answers["create "+body] = words(nil) + " " + asText(w, content)
		}
	}
	for _, name := range []string{"twin-system", "twin-user"} {
		object, err := w.get(azurePool, name)
		if err != nil {
			w.t.Fatal(err)
		}
		answers["delete "+name] = words(w.client.Delete(w.t.Context(), object, client.DryRunAll))
	}
	return answers
}

// words is the refusal without the name of the webhook that said it.
func words(err error) string {
	if err == nil {
		return "allowed"
	}
	text := err.Error()
	if _, after, found := strings.Cut(text, "denied the request: "); found {
		return after
	}
	return text
}
