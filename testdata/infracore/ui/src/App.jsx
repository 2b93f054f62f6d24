import { Notes } from "./Notes.jsx";
import { Services } from "./Services.jsx";

export function App() {
  return (
    <main>
      <h1>InfraCore</h1>
      <Services />
      <Notes />
    </main>
  );
}
