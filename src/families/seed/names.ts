import type { Random } from './random.js';

const list = (names: string) => names.split(' ');

const FIRST = {
  fr: {
    older: list(
      'Amélie Geneviève Chloé Marie-Ève Noémie Joëlle Élodie Mathieu Étienne François Jérôme Benoît Rémi Olivier Maxime Cédric',
    ),
    elder: list('Thérèse Ginette Lise Hélène Monique Françoise Réjean Gaétan André Jean-Guy Marcel Yvon'),
    child: list('Léa Béatrice Zoé Florence Raphaëlle Maëlle Théo Édouard Loïc Noah Félix Émile Léonie Anaïs'),
  },
  en: {
    older: list(
      'Emily Sarah Jessica Megan Priya Harpreet Mei Siobhán Tyler Ryan Matthew Arjun Wei Liam Nathan Dakota',
    ),
    elder: list('Margaret Patricia Carol Linda Gurpreet Donald Robert Douglas Walter Kenneth Harold'),
    child: list('Olivia Emma Charlotte Amelia Ava Isla Jack Noah Theodore Benjamin Oliver Arlo Aanya Kai'),
  },
} as const;

const LAST = {
  fr: list(
    "Tremblay Gagnon Roy Côté Bouchard Gauthier Morin Lavoie Fortin Gagné Ouellet Pelletier Bélanger Lévesque Bergeron Leblanc Paquette Girard Simard Boucher D'Amours LeBlanc Arsenault Thériault",
  ),
  en: list(
    "Smith Brown MacDonald Singh Wilson Campbell Nguyen Johnson Li Martin Anderson Taylor Patel O'Brien Thompson Wong Fraser Kaur Stewart Chen MacLeod Friesen Kilabuk Cardinal",
  ),
} as const;

export type Language = 'en' | 'fr';
export type Generation = 'older' | 'elder' | 'child';

export function firstName(random: Random, language: Language, generation: Generation): string {
  return random.pick(FIRST[language][generation]);
}

export function lastName(random: Random, language: Language): string {
  return random.pick(LAST[language]);
}

/** `Marie-Ève` as it stands in an address: `marie-eve`. */
export function plainAscii(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/[^A-Za-z-]/g, '')
    .toLowerCase();
}
