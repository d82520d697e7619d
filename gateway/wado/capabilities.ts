/** What this server offers, as WADL, for a caller that wants to know whether it is there at all (ci-sis §7.9). */
export const capabilitiesType = 'application/vnd.sun.wadl+xml';

export function capabilities(location: string): string {
  const header = (name: string, required: boolean): string =>
    `<param name="${name}" style="header" required="${required}"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<application xmlns="http://wadl.dev.java.net/2009/02">
  <resources base="https://${location}/dicom-web-rs">
    <resource path="studies/{studyUID}/series/{seriesUID}">
      <param name="studyUID" style="template"/>
      <param name="seriesUID" style="template"/>
      <method name="GET" id="RetrieveSeries">
        <request>
          ${header('Accept', false)}
          ${header('Authorization', true)}
          ${header('KOS-SOPInstanceUID', true)}
          ${header('Situation', false)}
        </request>
        <response status="200">
          <representation mediaType="multipart/related; type=&quot;application/dicom&quot;"/>
        </response>
      </method>
    </resource>
  </resources>
</application>
`;
}
