import { useEffect, useState } from "react";
import { askHealth, services } from "./api.js";

const interval = 5000; // milliseconds between two rounds

export function Services() {
  const [reports, setReports] = useState(services.map(({ name }) => ({ name, status: "asking" })));

  useEffect(() => {
    let timer;
    let gone = false;
    async function round() {
      const answers = await Promise.all(services.map(askHealth));
      if (gone) return;
      setReports(answers);
      timer = setTimeout(round, interval);
    }
    round();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);

  return (
    <section aria-labelledby="services">
      <h2 id="services">Services</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Service</th>
            <th scope="col">Status</th>
            <th scope="col">Version</th>
            <th scope="col">Up for</th>
          </tr>
        </thead>
        <tbody>
          {reports.map(({ name, status, version, uptime }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className={status}>{status}</td>
              <td>{version ?? "–"}</td>
              <td>{uptime === undefined ? "–" : duration(uptime)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

// duration writes seconds with the two largest units that matter.
function duration(seconds) {
  const d = Math.floor(seconds / 86400);
  const h = Math.floor((seconds % 86400) / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${m} min`;
  if (m > 0) return `${m} min ${seconds % 60} s`;
  return `${seconds} s`;
}
