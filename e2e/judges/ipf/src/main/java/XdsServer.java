import jakarta.activation.DataHandler;
import jakarta.xml.bind.*;
import jakarta.xml.ws.soap.SOAPBinding;
import java.io.*;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import javax.xml.namespace.QName;
import org.apache.cxf.binding.soap.SoapMessage;
import org.apache.cxf.binding.soap.interceptor.AbstractSoapInterceptor;
import org.apache.cxf.jaxws.JaxWsServerFactoryBean;
import org.apache.cxf.phase.Phase;
import org.apache.cxf.ws.addressing.WSAddressingFeature;
import org.openehealth.ipf.commons.ihe.xds.core.ebxml.ebxml30.*;
import org.openehealth.ipf.commons.ihe.xds.core.responses.*;
import org.openehealth.ipf.commons.ihe.xds.core.stub.ebrs30.query.*;
import org.openehealth.ipf.commons.ihe.xds.core.stub.ebrs30.rim.*;
import org.openehealth.ipf.commons.ihe.xds.core.stub.ebrs30.rs.RegistryResponseType;
import org.openehealth.ipf.commons.ihe.xds.core.transform.responses.ResponseTransformer;
import org.openehealth.ipf.commons.ihe.xds.iti18.Iti18PortType;
import org.openehealth.ipf.commons.ihe.xds.iti41.Iti41PortType;
import org.openehealth.ipf.commons.ihe.xds.iti43.Iti43PortType;

/** XdsServer PORT: ITI-41, ITI-43 and a small ITI-18 (FindDocuments by patient, GetDocuments by uniqueId) on loopback, SOAP 1.2 + MTOM, judged by IPF's validators; in memory. */
public class XdsServer implements Iti41PortType, Iti18PortType, Iti43PortType {
  static final String UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", PATIENT_ID = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", REPOSITORY = "1.2.3.4";
  record Entry(ExtrinsicObjectType meta, byte[] bytes) {}
  final Map<String, Entry> store = new ConcurrentHashMap<>();

  public RegistryResponseType documentRepositoryProvideAndRegisterDocumentSetB(ProvideAndRegisterDocumentSetRequestType q) {
    try {
      Map<String, byte[]> docs = new HashMap<>();
      for (var d : q.getDocument()) { docs.put(d.getId(), d.getValue().getInputStream().readAllBytes()); d.setValue(data(new byte[0], "x/x")); } // a part can be read once only
      judge(q, ProvideAndRegisterDocumentSetRequestType.class, "ProvideAndRegisterDocumentSetRequest", "urn:ihe:iti:xds-b:2007");
      for (var i : q.getSubmitObjectsRequest().getRegistryObjectList().getIdentifiable())
        if (i.getValue() instanceof ExtrinsicObjectType x) { String o = x.getId(); if (!o.startsWith("urn:uuid:")) x.setId("urn:uuid:" + UUID.randomUUID()); x.setStatus("urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"); store.put(id(x, UNIQUE_ID), new Entry(x, docs.get(o))); System.out.println("stored " + id(x, UNIQUE_ID) + " " + docs.get(o).length); }
      return answer(new Response(Status.SUCCESS));
    } catch (Exception e) { System.out.println("refused " + e.getMessage()); return answer(new Response(e, ErrorCode.REPOSITORY_METADATA_ERROR, ErrorCode.REPOSITORY_ERROR, REPOSITORY)); }
  }

  public AdhocQueryResponse documentRegistryRegistryStoredQuery(AdhocQueryRequest q) {
    AdhocQueryResponse r = new AdhocQueryResponse(); r.setRegistryObjectList(new RegistryObjectListType());
    try {
      judge(q, AdhocQueryRequest.class, null, null);
      boolean byId = q.getAdhocQuery().getId().equals("urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"); // GetDocuments
      String p = q.getAdhocQuery().getSlot().stream().filter(s -> s.getName().equals(byId ? "$XDSDocumentEntryUniqueId" : "$XDSDocumentEntryPatientId")).findFirst().orElseThrow().getValueList().getValue().get(0).replaceAll("[()']", "");
      boolean refs = "ObjectRef".equals(q.getResponseOption().getReturnType());
      var f = new org.openehealth.ipf.commons.ihe.xds.core.stub.ebrs30.rim.ObjectFactory();
      for (Entry e : store.values()) if (p.equals(id(e.meta, byId ? UNIQUE_ID : PATIENT_ID))) {
        ObjectRefType o = new ObjectRefType(); o.setId(e.meta.getId());
        r.getRegistryObjectList().getIdentifiable().add(refs ? f.createObjectRef(o) : f.createExtrinsicObject(e.meta));
      }
      r.setStatus(Status.SUCCESS.getOpcode30());
    } catch (Exception e) { System.out.println("refused " + e.getMessage()); RegistryResponseType x = answer(new Response(e, ErrorCode.REGISTRY_METADATA_ERROR, ErrorCode.REGISTRY_ERROR, REPOSITORY)); r.setStatus(x.getStatus()); r.setRegistryErrorList(x.getRegistryErrorList()); }
    return r;
  }

  public RetrieveDocumentSetResponseType documentRepositoryRetrieveDocumentSet(RetrieveDocumentSetRequestType q) {
    RetrieveDocumentSetResponseType r = new RetrieveDocumentSetResponseType(); RegistryResponseType s;
    try {
      judge(q, RetrieveDocumentSetRequestType.class, "RetrieveDocumentSetRequest", "urn:ihe:iti:xds-b:2007");
      for (var d : q.getDocumentRequest()) {
        Entry e = store.get(d.getDocumentUniqueId()); if (e == null) throw new NoSuchElementException("unknown document " + d.getDocumentUniqueId());
        var x = new RetrieveDocumentSetResponseType.DocumentResponse(); x.setRepositoryUniqueId(REPOSITORY); x.setDocumentUniqueId(d.getDocumentUniqueId()); x.setMimeType(e.meta.getMimeType()); x.setDocument(data(e.bytes, e.meta.getMimeType())); r.getDocumentResponse().add(x);
      }
      s = answer(new Response(Status.SUCCESS));
    } catch (Exception e) { System.out.println("refused " + e.getMessage()); s = answer(new Response(e, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, ErrorCode.REPOSITORY_ERROR, REPOSITORY)); }
    r.setRegistryResponse(s); return r;
  }

  static DataHandler data(byte[] b, String type) { return new DataHandler(new jakarta.mail.util.ByteArrayDataSource(b, type)); }
  static String id(ExtrinsicObjectType x, String scheme) { return x.getExternalIdentifier().stream().filter(i -> i.getIdentificationScheme().equals(scheme)).findFirst().orElseThrow().getValue(); }
  static RegistryResponseType answer(Response r) { return new ResponseTransformer(new EbXMLFactory30()).toEbXML(r).getInternal(); }

  /** The same judgement as the command line, French tolerances included, on a copy. */
  static <T> void judge(T o, Class<T> c, String name, String ns) throws Exception {
    StringWriter w = new StringWriter(); Marshaller m = XdsJudge.JAXB.createMarshaller();
    m.marshal(name == null ? o : new JAXBElement<>(new QName(ns, name), c, o), w);
    String t = w.toString(); for (String[] x : XdsJudge.FR) t = t.replaceAll(x[0], x[1]);
    XdsJudge.validate(XdsJudge.JAXB.createUnmarshaller().unmarshal(new javax.xml.transform.stream.StreamSource(new StringReader(t)), c).getValue());
  }

  /** Lets the VIHF header pass even with mustUnderstand; it is not judged here. */
  static class Vihf extends AbstractSoapInterceptor {
    Vihf() { super(Phase.PRE_PROTOCOL); }
    @Override public Set<QName> getUnderstoodHeaders() { return Set.of(new QName("http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd", "Security")); }
    @Override public void handleMessage(SoapMessage m) { }
  }

  public static void main(String[] a) {
    XdsServer bean = new XdsServer();
    Map.of("repository", Iti41PortType.class, "registry", Iti18PortType.class, "retrieve", Iti43PortType.class).forEach((path, c) -> {
      JaxWsServerFactoryBean f = new JaxWsServerFactoryBean();
      f.setServiceClass(c); f.setServiceBean(bean); f.setAddress("http://127.0.0.1:" + a[0] + "/" + path);
      f.setBindingId(SOAPBinding.SOAP12HTTP_BINDING); if (!path.equals("registry")) f.setProperties(Map.of("mtom-enabled", true));
      f.getFeatures().add(new WSAddressingFeature()); f.getInInterceptors().add(new Vihf()); f.create();
    });
    System.out.println("listening");
  }
}
